#!/usr/bin/env python3
"""Small configurations of Postfix, each with something in it that is easily judged wrongly: what is told of it, and what comes of it."""
# threads elsewhere: import

import re

from common.harness import case, equal, main, run_program
from common.imported import import_site, rows

HEAD = "myhostname = mx.isp.example\nmydestination = isp.example\nmailbox_transport = lmtp:[127.0.0.1]:24\n"
USERS = "local_recipient_maps = inline:{alice=x}\n"


class Judged:
    """What came of a main.cf: `told` has judgement and ours by what a row begins with, `text` is the configuration, `report` the whole report."""

    def __init__(self, directory, name, text, files=None, head=HEAD + USERS):
        folder, self.out = directory / name / "etc", directory / name / "out"
        folder.mkdir(parents=True)
        for path, content in {"main.cf": head + text, **(files or {})}.items():
            (folder / path).write_text(content)
        self.report = import_site(folder / "main.cf", self.out).stdout
        self.words = " ".join(self.report.split())
        self.text = (self.out / "gatepost.conf").read_text()
        self.rows = rows(self.report)
        run = run_program("check-config", "--no-open", "-c", self.out / "gatepost.conf")
        equal((run.returncode, ": error:" in run.stderr), (0, False), f"check-config of {name}: {run.stderr}")

    def told(self, theirs):
        found = [row.judgement for row in self.rows if row.theirs.startswith(theirs)]
        assert found, f"no row of {theirs} in {self.report}"
        return found[0]

    def why(self, theirs):
        lines = self.report.splitlines()
        start = next(i for i, line in enumerate(lines) if re.match(rf"\S+ +{re.escape(theirs)}", line)) + 1
        end = next((i for i in range(start, len(lines)) if not lines[i].startswith(" " * 8)), len(lines))
        return " ".join(" ".join(lines[start:end]).split())

    def section(self, kind, title=""):
        """Its options, without the comments behind them; None: there is none."""
        head = f'{kind} "{title}" {{' if title else f"{kind} {{"
        found = re.search(rf"^( *){re.escape(head)}\n(.*?)^\1\}}", self.text, re.M | re.S)
        return found and re.sub(r" +#.*", "", found.group(2))

    def option(self, kind, name, title=""):
        found = re.search(rf"^ *{name} = (.*)$", self.section(kind, title) or "", re.M)
        return found and found.group(1)

    def top(self, name):
        found = re.search(rf"^{name} = (\S+)", self.text, re.M)
        return found and found.group(1)

    def lines(self, file):
        return (self.out / file).read_text().splitlines()[1:]


# ---- DNS lists

@case("a list that is only warned of refuses nobody, and changes nothing about one that refuses")
def warned_lists(directory):
    got = Judged(directory, "behind", "smtpd_client_restrictions = reject_rbl_client z.example=127.0.0.2, warn_if_reject reject_rbl_client z.example=127.0.0.10\n")
    equal(got.told("reject_rbl_client"), "same", "what refuses")
    equal(got.told("warn_if_reject"), "not translated", "what is warned of")
    equal(got.option("zone", "answers", "z.example"), '{"127.0.0.2"}', "answers")
    got = Judged(directory, "before", "smtpd_client_restrictions = warn_if_reject reject_rbl_client z.example=127.0.0.10, reject_rbl_client z.example=127.0.0.2\n")
    equal(got.told("reject_rbl_client"), "same", "what refuses")
    equal(got.told("warn_if_reject"), "not translated", "what is warned of")
    equal(got.option("zone", "answers", "z.example"), '{"127.0.0.2"}', "answers")
    screen = "postscreen_dnsbl_sites = z.example*2\npostscreen_dnsbl_threshold = 3\npostscreen_dnsbl_action = {}\n"
    warned = "smtpd_client_restrictions = warn_if_reject reject_rbl_client z.example\n"
    got = Judged(directory, "weighted", screen.format("enforce") + warned)
    equal(got.option("zone", "weight", "z.example"), "2", "the weight of postscreen")
    equal((got.told("z.example*2"), got.told("warn_if_reject")), ("same", "not translated"), "judgements")
    got = Judged(directory, "logged", screen.format("ignore") + "smtpd_client_restrictions = reject_rbl_client z.example=127.0.0.4\n")
    equal((got.told("z.example*2"), got.told("reject_rbl_client")), ("not translated", "same"), "what postscreen only logs")
    equal((got.option("zone", "answers", "z.example"), got.option("zone", "weight", "z.example")), ('{"127.0.0.4"}', "3"), "zone")


@case("a list of names is asked about HELO and sender, which is more than a restriction of one of them does")
def lists_of_names(directory):
    got = Judged(directory, "names", "smtpd_sender_restrictions = reject_rhsbl_sender n.example\nsmtpd_helo_restrictions = reject_rhsbl_helo m.example\n")
    equal((got.told("reject_rhsbl_sender"), got.told("reject_rhsbl_helo")), ("stricter", "stricter"), "judgements")


@case("a warning about names in HELO makes an enforced check no stricter")
def warned_helo(directory):
    for name, text in {"behind": "reject_invalid_helo_hostname, warn_if_reject reject_unknown_helo_hostname",
                       "before": "warn_if_reject reject_unknown_helo_hostname, reject_invalid_helo_hostname"}.items():
        got = Judged(directory, name, f"smtpd_helo_restrictions = {text}\n")
        equal((got.told("warn_if_reject"), got.option("helo_name", "mode"), got.option("helo_name", "must_resolve")), ("not translated", "enforce", None), name)
    got = Judged(directory, "alone", "smtpd_helo_restrictions = warn_if_reject reject_unknown_helo_hostname\n")
    equal((got.option("helo_name", "mode"), got.option("helo_name", "must_resolve")), ("observe", "yes"), "alone")


# ---- tables of clients, and ends of lists

@case("of tables of clients: what lets in has no counterpart that is laxer, and a refusal within a trusted network is told")
def tables_of_clients(directory):
    table = {"clients": "192.0.2.0/24 OK\n192.0.2.7 REJECT\n"}
    got = Judged(directory, "within", "smtpd_client_restrictions = check_client_access texthash:/etc/postfix/clients\n", table)
    equal(got.told("check_client_access"), "laxer", "an OK exempts from all checks")
    assert "cut that network out" in got.words, got.report
    table = {"clients": "mail.example.com OK\n192.0.2.7 REJECT\n"}
    got = Judged(directory, "names", "smtpd_client_restrictions = check_client_access texthash:/etc/postfix/clients\n", table)
    equal(got.told("check_client_access"), "stricter", "a name that is let in there has no counterpart")
    table = {"clients": "bad.example.com REJECT\n192.0.2.7 REJECT\n"}
    got = Judged(directory, "refusals", "smtpd_client_restrictions = check_client_access texthash:/etc/postfix/clients\n", table)
    equal(got.told("check_client_access"), "laxer", "a name that is refused there has no counterpart")


@case("mynetworks are exempt from all lists here, which is told where another list refuses them")
def lists_of_networks(directory):
    lists = "smtpd_client_restrictions = permit_mynetworks, reject_rbl_client z.example\nsmtpd_sender_restrictions = %s\n"
    for name, others, judgement in ("strict", "reject_unknown_sender_domain", "laxer"), ("late", "reject_unknown_sender_domain, permit_mynetworks", "laxer"), ("warned", "warn_if_reject reject_unknown_sender_domain", "same"), ("trusting", "permit_mynetworks, reject_unknown_sender_domain", "same"), ("relay", "reject_unauth_destination", "same"):
        got = Judged(directory, name, lists % others)
        equal(got.told("permit_mynetworks"), judgement, name)
        equal("also from those of smtpd_sender_restrictions" in got.words, judgement == "laxer", got.report)


@case("postscreen trusts mynetworks by its own word alone, and a list of this site is none of DNS")
def screen_lists(directory):
    got = Judged(directory, "word", "mynetworks = 192.0.2.0/24\npostscreen_access_list = permit_no_such_word\n")
    equal((got.told("permit_no_such_word"), got.top("trusted_networks")), ("not translated", None), "an unknown word")
    got = Judged(directory, "file", "postscreen_access_list = inline:{ {192.0.2.1 = reject} }\npostscreen_dnsbl_sites = clients.denied.invalid*2\n")
    equal(got.told("clients.denied.invalid*2"), "not translated", "a name that is taken")


@case("who lets in some and refuses the rest is told that this server is open to all, and what our recipients pass ends a list")
def ends_of_lists(directory):
    got = Judged(directory, "reject", "smtpd_client_restrictions = permit_mynetworks, reject\n")
    assert "open to everybody" in got.words, got.report
    got = Judged(directory, "warned", "smtpd_client_restrictions = warn_if_reject reject, reject_rbl_client z.example\n")
    equal((got.told("reject_rbl_client"), "open to everybody" in got.words), ("same", False), "what is behind a warning")
    got = Judged(directory, "passed", "smtpd_recipient_restrictions = permit_auth_destination, reject_rbl_client z.example, reject\n")
    equal((got.told("reject_rbl_client"), "open to everybody" in got.words), ("not needed", False), "what our recipients never come to")
    equal(got.section("zone", "z.example"), None, "no list")


# ---- recipients and next hops

@case("Maildirs whose paths are hard to tell apart, and local parts that are one mailbox, make files that are taken")
def maildirs(directory):
    head = "myhostname = mx.isp.example\nmydestination =\nvirtual_mailbox_domains = isp.example\nvirtual_mailbox_base = /var/mail\n"
    paths = {"d": "isp.example/d/", "e": "isp.example/sample/e/", "f": 'isp.example/"f/', "g": "isp.example/g/../x/", "h": "isp.example/" + "h" * 300 + "/h/",
             "Ii": "isp.example/ii/", "Jj": "isp.example/Jj/", "k": "isp.example/kk/", '"l"': "isp.example/l/", "l": "isp.example/l/x/"}
    table = "".join(f"{local}@isp.example {path}\n" for local, path in paths.items())
    got = Judged(directory, "maildirs", "virtual_mailbox_maps = texthash:/etc/postfix/boxes\n", {"boxes": table}, head)
    behind = ' deliver="smtp://127.0.0.1:10025"'
    equal(got.option("domain", "deliver", "isp.example"), '"maildir:/var/mail/%d/%u"', "deliver")
    equal(got.lines("recipients/isp.example"),
          ["d@isp.example", 'e@isp.example deliver="maildir:/var/mail/%d/sample/%u"', f"f@isp.example{behind}", f"g@isp.example{behind}",
           f"h@isp.example{behind}", "Ii@isp.example", f"Jj@isp.example{behind}", f"k@isp.example{behind}", f'"l"@isp.example{behind}'], "recipients")
    got = Judged(directory, "home", "home_mailbox = ../x/\nrecipient_delimiter = .\n", head="myhostname = mx.isp.example\nmydestination = isp.example\n" + USERS)
    equal((got.told("home_mailbox"), got.told("recipient_delimiter")), ("not translated", "not translated"), "judgements")


@case("a next hop is asked about recipients where it knows them all, and who is refused there is told of")
def callouts(directory):
    asks = "smtpd_recipient_restrictions = check_recipient_access inline:{gone@isp.example=REJECT}, reject_unverified_recipient\n"
    got = Judged(directory, "plain", asks)
    equal((got.option("domain", "recipients", "isp.example"), got.told("reject_unverified_recipient")), ('"callout:"', "same"), "all are the store's")
    equal(got.told("check_recipient_access"), "laxer", "the store may know whom the table refuses")
    assert "let the next hop refuse them" in got.words, got.report
    got = Judged(directory, "aliases", asks + "virtual_alias_maps = inline:{ {sales@isp.example = alice@isp.example} }\n")
    equal((got.option("domain", "recipients", "isp.example"), got.told("reject_unverified_recipient"), got.told("check_recipient_access")),
          ('"recipients/isp.example"', "laxer", "same"), "aliases that the store does not know")
    equal(got.lines("recipients/isp.example"), ["alice@isp.example", 'sales@isp.example deliver="smtp://127.0.0.1:10025"'], "recipients")
    got = Judged(directory, "rest", asks.replace(", reject_unverified_recipient", "") + "virtual_alias_maps = inline:{ {@isp.example = alice@isp.example} }\n")
    equal(got.told("check_recipient_access"), "laxer", "a catch-all takes whom the table refuses")


@case("where a service of Postfix is in its chroot, its absolute paths are below the queue's folder")
def chroots(directory):
    text = "smtpd_milters = unix:/run/filter/filter.sock\nvirtual_mailbox_domains = isp.example\nvirtual_transport = lmtp:unix:/run/store\nvirtual_mailbox_maps = inline:{alice@isp.example=x}\n"
    head = "myhostname = mx.isp.example\nmydestination =\n"
    for column, level, prefix in (("y", "3.6", "/var/spool/postfix"), ("n", "3.6", ""), ("-", "3.6", ""), ("-", "0", "/var/spool/postfix")):
        master = f"smtp inet n - {column} - - smtpd\nlmtp unix - - {column} - - lmtp\n"
        got = Judged(directory, f"{column}{level}", f"{text}compatibility_level = {level}\n", {"master.cf": master}, head)
        hop, paths = got.option("domain", "deliver", "isp.example"), re.findall(r'connect = "(.*?)"', got.text)
        equal((hop, paths), (f'"lmtp:unix:{prefix}/run/store"', [f"unix:{prefix}/run/filter/filter.sock"]), f"{column} {level}")


@case("limits of clients are those of Postfix: by its lengths of networks, and not for mynetworks")
def limits(directory):
    got = Judged(directory, "usual", "mynetworks = 192.0.2.0/24\nsmtpd_client_connection_rate_limit = 60\n")
    found = [got.option("client_rate", name) for name in ("connections", "prefix4", "prefix6", "network_factor", "exempt")]
    equal(found, ["60/60s", "32", "84", "1", '{"192.0.2.0/24"}'], "client_rate")
    got = Judged(directory, "named", "smtpd_client_connection_rate_limit = 60\nsmtpd_client_ipv4_prefix_length = 24\nsmtpd_client_ipv6_prefix_length = 56\n"
                 "smtpd_client_event_limit_exceptions =\n")
    found = [got.option("client_rate", name) for name in ("prefix4", "prefix6", "network_factor", "exempt")]
    equal(found, ["24", "56", "1", None], "client_rate")
    equal((got.told("smtpd_client_ipv4_prefix_length"), got.told("smtpd_client_ipv6_prefix_length")), ("same", "same"), "judgements")


# ---- TLS

@case("TLS: what a restriction requires stays required, and versions are those that are named")
def tls(directory):
    pair = "smtpd_tls_cert_file = /etc/ssl/a.pem\n"
    got = Judged(directory, "restriction", pair + "smtpd_tls_security_level = may\nsmtpd_client_restrictions = reject_plaintext_session\n")
    equal(got.top("starttls"), "require", "reject_plaintext_session")
    got = Judged(directory, "overruled", pair + "smtpd_tls_security_level = may\nsmtpd_enforce_tls = yes\n")
    equal((got.top("starttls"), got.told("smtpd_enforce_tls")), ("offer", "not needed"), "smtpd_enforce_tls")
    got = Judged(directory, "verify", pair + "smtpd_tls_security_level = verify\n")
    equal(got.top("starttls"), "require", "a level that smtpd takes for encrypt")
    for versions, minimum in {"TLSv1.2 TLSv1.3": "1.2", "TLSv1.3:TLSv1.1": "1.1", "!SSLv3, !TLSv1": "1.1", ">=TLSv1.2": "1.2", "SSLv3, TLSv1.3": "1.3"}.items():
        got = Judged(directory, "of" + "".join(filter(str.isalnum, versions)), f"smtpd_tls_security_level = may\nsmtpd_tls_protocols = {versions}\n")
        equal(got.option("tls", "minimum"), minimum, versions)
    got = Judged(directory, "one-key", "smtpd_tls_chain_files = /k.key, /a.pem, /k.key, /A.pem, /l.key, /a.pem\n")
    equal("".join(got.section("tls").split()), 'certificate={"/a.pem","/A.pem"}key={"/k.key","/k.key"}', "a key of two certificates")
    got = Judged(directory, "many", f"smtpd_tls_chain_files = {' '.join(f'/{i}.pem' for i in range(5))}\n")
    equal((got.told("smtpd_tls_chain_files"), got.section("tls").count(".pem")), ("not translated", 8), "five certificates")


if __name__ == "__main__":
    main()
