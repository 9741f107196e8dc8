package note

// Plain is the markup of a terminal, and of a service's last fallback: none.
type Plain struct{}
