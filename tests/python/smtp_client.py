"""Sends a mail, and tries to send one that is too long."""

import smtplib
import sys

MAIL = """\
From: ann@example.org
To: bob@example.org, cid@example.org
Subject: Dots and all

.
..begins with two
ends.
"""

with smtplib.SMTP(sys.argv[1], int(sys.argv[2]), timeout=60) as server:
    server.sendmail("ann@example.org", ["bob@example.org", "cid@example.org"], MAIL)
    print("delivered", len(MAIL.replace("\n", "\r\n")), "bytes")
    try:
        server.sendmail("ann@example.org", ["bob@example.org"], "x" * (2 << 20))
    except smtplib.SMTPSenderRefused as refused:
        print("refused:", refused.smtp_code)
