package check

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// health is what the console of a running rollcall answers.
type health struct {
	Ready   bool     `json:"ready"`
	Reasons []string `json:"reasons"`
	Checks  []struct {
		Name string `json:"name"`
	} `json:"checks"`
}

func askHealth(ctx context.Context, address string) (health, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return health{}, err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return health{}, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	var body health
	err = json.NewDecoder(http.MaxBytesReader(nil, response.Body, 1<<20)).Decode(&body)
	if err == nil && len(body.Checks) == 0 {
		err = errors.New("it is not the health of a rollcall")
	}
	return body, err
}
