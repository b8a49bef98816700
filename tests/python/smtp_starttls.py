"""Sends a mail under TLS that was started with STARTTLS: smtp_starttls.py HOST PORT CA."""

import smtplib
import ssl
import sys

host, port, authority = sys.argv[1:4]
context = ssl.create_default_context(cafile=authority)
with smtplib.SMTP(host, int(port), timeout=60) as server:
    server.ehlo()
    print("offered in clear:", server.has_extn("starttls"))
    server._host = "localhost"
    server.starttls(context=context)
    server.ehlo()
    print("offered under TLS:", server.has_extn("starttls"))
    server.sendmail("ann@example.org", ["bob@example.org"], "Subject: secret\n\nhello\n")
    print("delivered")
