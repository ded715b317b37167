package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hearthchat/hearth/store"
)

type mailRecord struct {
	Purpose store.Purpose `json:"purpose"`
	User    store.UserID  `json:"user,omitempty"`
	Email   string        `json:"email"`
	Expires int64         `json:"expires"`
	Next    int64         `json:"next,omitempty"`
	Tries   int           `json:"tries,omitempty"`
}

var errManyMails = &store.Fault{Kind: store.ErrLimited, Code: "mail_queue_full", Text: "Too many mails are waiting", RetryAfter: time.Minute}

func encodeMail(m store.Mail) ([]byte, error) {
	return encode(mailRecord{m.Purpose, m.User, m.Email, toMillis(m.Expires), toMillis(m.Next), m.Tries})
}

func decodeMail(key, value []byte) (store.Mail, error) {
	if len(key) != 8 {
		return store.Mail{}, errors.New("it has no number")
	}
	var r mailRecord
	if err := decode(value, &r); err != nil {
		return store.Mail{}, err
	}
	return store.Mail{
		ID: binary.BigEndian.Uint64(key), Purpose: r.Purpose, User: r.User, Email: r.Email,
		Expires: fromMillis(r.Expires), Next: fromMillis(r.Next), Tries: r.Tries,
	}, nil
}

// AddMail keeps a mail unless most are waiting.
func (s *Store) AddMail(ctx context.Context, m store.Mail, most int) (store.Mail, error) {
	err := s.batch(ctx, func(tx *bbolt.Tx) error {
		mails := tx.Bucket(bucketMails)
		waiting := 0
		c := mails.Cursor()
		for key, _ := c.First(); key != nil && waiting < most; key, _ = c.Next() {
			waiting++
		}
		if waiting >= most {
			return errManyMails
		}
		var err error
		if m.ID, err = mails.NextSequence(); err != nil {
			return err
		}
		value, err := encodeMail(m)
		if err != nil {
			return err
		}
		return mails.Put(number(m.ID), value)
	})
	if err != nil {
		return store.Mail{}, err
	}
	return m, nil
}

// Mails returns what waits.
func (s *Store) Mails(ctx context.Context) (all []store.Mail, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		return eachKey(tx.Bucket(bucketMails), nil, func(key, value []byte) error {
			m, err := decodeMail(key, value)
			all = append(all, m)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// DelayMail notes that a mail was tried.
func (s *Store) DelayMail(ctx context.Context, id uint64, tries int, next time.Time) error {
	return s.update(ctx, func(tx *bbolt.Tx) error {
		mails := tx.Bucket(bucketMails)
		value := mails.Get(number(id))
		if value == nil {
			return nil
		}
		m, err := decodeMail(number(id), value)
		if err != nil {
			return err
		}
		m.Tries, m.Next = tries, next
		if value, err = encodeMail(m); err != nil {
			return err
		}
		return mails.Put(number(id), value)
	})
}

// RemoveMail forgets a mail.
func (s *Store) RemoveMail(ctx context.Context, id uint64) error {
	return s.update(ctx, func(tx *bbolt.Tx) error { return tx.Bucket(bucketMails).Delete(number(id)) })
}

// forgetWaiting removes the codes and mails of an account that closes, which hold its address.
func forgetWaiting(tx *bbolt.Tx, u store.User) error {
	var codes, mails [][]byte
	if err := eachKey(tx.Bucket(bucketCodes), nil, func(key, value []byte) error {
		var r codeRecord
		err := decode(value, &r)
		if r.User == u.ID {
			codes = append(codes, bytes.Clone(key))
		}
		return err
	}); err != nil {
		return err
	}
	if err := eachKey(tx.Bucket(bucketMails), nil, func(key, value []byte) error {
		m, err := decodeMail(key, value)
		if m.User == u.ID || u.Email != "" && store.Fold(m.Email) == store.Fold(u.Email) {
			mails = append(mails, bytes.Clone(key))
		}
		return err
	}); err != nil {
		return err
	}
	return errors.Join(deleteAll(tx.Bucket(bucketCodes), codes), deleteAll(tx.Bucket(bucketMails), mails))
}

func deleteAll(b *bbolt.Bucket, keys [][]byte) error {
	for _, key := range keys {
		if err := b.Delete(key); err != nil {
			return err
		}
	}
	return nil
}
