package check

import "regexp"

// userInfo is what stands before the host in an address: names and passwords.
func userInfo() *regexp.Regexp { return regexp.MustCompile(`//[^/\s"@]*@`) }

// withoutPasswords returns a text whose addresses show neither users nor passwords.
func withoutPasswords(text string) string { return userInfo().ReplaceAllString(text, "//•••@") }
