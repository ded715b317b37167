// Package compat holds what documented clients need beyond the routes: the second names
// of fields, in what they send and in what they read. The rest of Hearth knows one name
// for each thing.
package compat
