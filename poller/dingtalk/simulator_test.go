package dingtalk_test

import (
	"net/http/httptest"
	"slices"
	"testing"

	"rollcall"
	"rollcall/internal/secret"
	"rollcall/poller/dingtalk"
	"rollcall/simulator"
)

func held(value string) dingtalk.Secret {
	return func() (secret.String, error) { return secret.New(value), nil }
}

// TestAgainstTheSimulator holds the client against a DingTalk that others wrote.
func TestAgainstTheSimulator(t *testing.T) {
	sim, err := simulator.New(simulator.Config{
		Seed: 7, Meetings: 20, People: 20, Rate: 5, Hostile: true, CorpID: "corp/..", AppKey: "key", AppSecret: "the app's",
		SuiteKey: "suite", SuiteSecret: "the suite's", SuiteTicket: "ticket",
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim.Handler())
	defer server.Close()
	for _, auth := range []dingtalk.Auth{
		{Kind: dingtalk.KindInternal, ClientID: "key", ClientSecret: held("the app's")},
		{Kind: dingtalk.KindCorp, CorpID: "corp/..", SuiteKey: "suite", SuiteSecret: held("the suite's"), SuiteTicket: held("ticket")},
		{Kind: dingtalk.KindUnified, CorpID: "corp/..", ClientID: "key", ClientSecret: held("the app's")},
	} {
		client, err := dingtalk.New(dingtalk.Config{Endpoint: server.URL, Auth: auth})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		readAll(t, client, sim.ConferenceIDs())
		sim.RevokeTokens()
		readAll(t, client, sim.ConferenceIDs())
	}
}

// readAll asks about meetings in all ways.
func readAll(t *testing.T, client *dingtalk.Client, ids []string) {
	t.Helper()
	var started []string
	answers, err := client.Query(t.Context(), ids)
	if err != nil || len(answers.Found) != len(ids) || !answers.Complete || answers.Unasked != 0 {
		t.Fatalf("found %d of %d: %v", len(answers.Found), len(ids), err)
	}
	for _, found := range answers.Found {
		if answer := client.Decode(found.Raw); len(answer.Oddities) != 0 || !answer.Listed {
			t.Errorf("%q: %d entries, oddities %v", found.ConferenceID, len(answer.Entries), answer.Oddities)
		}
		standing, err := client.Lookup(t.Context(), found.ConferenceID)
		if err != nil {
			t.Errorf("%q: %v", found.ConferenceID, err)
		}
		members, err := client.Members(t.Context(), found.ConferenceID, "")
		if err != nil || members.Unread > 0 || len(members.Members) != members.Total || members.Next != "" {
			t.Errorf("%q: members are %+v: %v", found.ConferenceID, members, err)
		}
		if standing.Status == rollcall.StatusStarted {
			started = append(started, found.ConferenceID)
		}
	}
	page, err := client.Ongoing(t.Context(), "")
	if err != nil || !slices.Equal(page.IDs, started) || page.Next != "" || page.Total != len(started) {
		t.Errorf("ongoing are %+v, not %v: %v", page, started, err)
	}
}
