// All of Haraka's questions go to the bench's resolver.
'use strict'
const dns = require('node:dns')
const server = process.env.HARAKA_BENCH_DNS
if (server !== 'none') {
    dns.setServers([server])
    for (const owner of [dns, dns.promises]) {
        owner.Resolver = class extends owner.Resolver {
            constructor(options) {
                super(options)
                this.setServers([server])
            }
        }
    }
}
