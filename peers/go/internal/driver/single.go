package driver

// One is a source of one message.
func One(message Message) Source {
	given := false
	return func() (Message, bool) {
		if given {
			return nil, false
		}
		given = true
		return message, true
	}
}

// Into is a sink for one message.
func Into(message *Message) Sink {
	return func(m Message) bool {
		*message = m
		return false
	}
}
