// Package mail sends people links by e-mail: to confirm an address, or to choose a new
// password.
//
// Who asks for a mail never waits for a mail server. What is to be sent is kept on disk by
// Outbox.Post and sent by Outbox.Run, again and again with growing delays, until the mail
// server takes it, refuses it for good, or it is not worth sending any more. What waits
// holds no secret: its link is made just before it is sent.
//
// No address, secret or word of a mail server's answer is logged; its codes are.
package mail
