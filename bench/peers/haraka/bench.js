// The domain, its recipients, and what Haraka's own plugins refuse earlier than at RCPT.
'use strict'
const recipients = new Set(['alice', 'bob'])

// Plugins spare private clients; ours stand for those of the internet.
exports.hook_connect_init = (next, connection) => {
    connection.remote.is_private = false
    connection.remote.is_local = false
    next()
}

exports.hook_rcpt = (next, connection, [address]) => {
    if (address.host !== 'bench.example') return next(DENY, 'relay access denied')
    if (!recipients.has(address.user.split('+')[0])) return next(DENY, 'recipient unknown')
    if (!/^[^.]+(\.[^.]+)+$|^\[.*\]$/.test(connection.hello.host)) return next(DENY, 'HELO needs a fully qualified name')
    if (/dyn|dsl|pool|dialup|dhcp/.test(connection.remote.host)) return next(DENY, 'mail from dynamic addresses is not accepted')
    next(OK)
}
