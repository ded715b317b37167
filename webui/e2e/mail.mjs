// A mail server for the browser tests: it takes every mail and keeps it.
import { createServer } from "node:net";
import { until } from "./hearth.mjs";

/** Starts a mail server on a free port. */
export async function startMailServer() {
  const mails = [];
  const server = createServer((socket) => talk(socket, (mail) => mails.push(mail)));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  let read = 0;
  return {
    options: (url) => ["--public-url", url, "--smtp-host", "127.0.0.1", "--smtp-port", String(server.address().port), "--smtp-tls", "none", "--smtp-from", "hearth@warty.example"],
    /** The next mail, which must be to somebody: its subject and the first link in it. */
    next: async (to) => {
      await until(() => mails.length > read);
      const mail = mails[read++];
      if (mail.to !== to) throw new Error(`A mail came to ${mail.to}, not to ${to}.`);
      return { subject: mail.subject, link: /https?:\/\/\S+/.exec(mail.text)?.[0] };
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** Speaks as much SMTP as it takes to be handed a mail. */
function talk(socket, take) {
  let heard = "";
  let to = "";
  let inData = false;
  const say = (line) => socket.write(`${line}\r\n`);
  socket.setEncoding("utf8");
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    heard += chunk;
    for (let end; (end = heard.indexOf(inData ? "\r\n.\r\n" : "\r\n")) >= 0; ) {
      const said = heard.slice(0, end);
      heard = heard.slice(end + (inData ? 5 : 2));
      if (inData) {
        inData = false;
        take({ to, ...parse(said) });
        say("250 taken");
        continue;
      }
      const verb = said.slice(0, 4).toUpperCase();
      if (verb === "RCPT") to = /<(.*)>/.exec(said)[1];
      inData = verb === "DATA";
      if (verb === "QUIT") socket.end("221 bye\r\n");
      else say(inData ? "354 go on" : "250 fine");
    }
  });
  say("220 mail.warty.example");
}

/** The subject and the text of a mail, with quoted-printable undone. */
function parse(mail) {
  const text = mail.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return { subject: /^Subject: (.*)$/m.exec(mail)?.[1].trim(), text: text.slice(text.indexOf("\r\n\r\n")) };
}
