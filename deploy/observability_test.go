package deploy_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

type ruleFile struct {
	Groups []struct {
		Rules []struct {
			Alert, Record, Expr, For string
			Labels, Annotations      map[string]string
		}
	}
}

func ruleFileOf(t *testing.T) (f ruleFile) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(textOf(t, "observability/rules.yaml")), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestEveryAlertHasARunbook wants a section that begins with what is lost and
// ends with the command that proves it fixed, and a test that makes it fire.
func TestEveryAlertHasARunbook(t *testing.T) {
	runbook, tests := textOf(t, "../docs/runbook.md"), textOf(t, "observability/rules_test.yaml")
	sections := map[string]string{}
	for _, section := range strings.Split(runbook, "\n## ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		sections[title] = strings.TrimSpace(body)
	}
	for _, group := range ruleFileOf(t).Groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" {
				continue
			}
			if want := "docs/runbook.md#" + strings.ToLower(rule.Alert); rule.Annotations["runbook_url"] != want || rule.Annotations["summary"] == "" {
				t.Errorf("%s has the annotations %v, and should have a summary and the runbook_url %s", rule.Alert, rule.Annotations, want)
			}
			section := sections[rule.Alert]
			if !strings.HasPrefix(section, "Lost meanwhile: ") {
				t.Errorf("docs/runbook.md: %s does not begin with what is lost meanwhile", rule.Alert)
			}
			proof := section[max(0, strings.LastIndex(section, "\nFixed when ")):]
			if !strings.HasPrefix(proof, "\nFixed when ") || !strings.HasSuffix(section, "\n```") || strings.Count(proof, "```") != 2 {
				t.Errorf("docs/runbook.md: %s does not end with the command that proves it fixed", rule.Alert)
			}
			fires := regexp.MustCompile(`labels: ALERTS\{alertname="` + rule.Alert + `",alertstate="firing",.*severity="` + rule.Labels["severity"] + `"`)
			if !fires.MatchString(tests) {
				t.Errorf("rules_test.yaml never makes %s fire", rule.Alert)
			}
			delete(sections, rule.Alert)
		}
	}
	for title := range sections {
		t.Errorf("docs/runbook.md: %s is no alert", title)
	}
}

// dashboard is what matters of Grafana's model.
type dashboard struct {
	UID        string
	Templating struct {
		List []struct{ Name, Type string }
	}
	Panels []struct {
		Title      string
		Type       string
		Datasource struct{ UID string }
		Targets    []struct{ Expr string }
	}
}

func dashboardOf(t *testing.T) (d dashboard) {
	t.Helper()
	if err := json.Unmarshal([]byte(textOf(t, "observability/grafana/rollcall.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheDashboardCanBeImportedAnywhere(t *testing.T) {
	d := dashboardOf(t)
	if d.UID != "rollcall" {
		t.Errorf("the uid is %q: links to it break", d.UID)
	}
	if first := d.Templating.List[0]; first.Name != "datasource" || first.Type != "datasource" {
		t.Errorf("the first variable is %+v, not the data source", first)
	}
	if !strings.HasPrefix(d.Panels[1].Title, "Freshness") {
		t.Errorf("the first panel is %q: freshness comes first", d.Panels[1].Title)
	}
	for _, panel := range d.Panels {
		if panel.Type != "row" && panel.Datasource.UID != "${datasource}" {
			t.Errorf("%s asks the data source %q", panel.Title, panel.Datasource.UID)
		}
	}
}

// queries are those of the rules and of the dashboard.
func queries(t *testing.T) (all []string) {
	t.Helper()
	for _, group := range ruleFileOf(t).Groups {
		for _, rule := range group.Rules {
			all = append(all, rule.Expr)
		}
	}
	for _, panel := range dashboardOf(t).Panels {
		for _, target := range panel.Targets {
			all = append(all, target.Expr)
		}
	}
	return all
}

var metric = regexp.MustCompile(`\brollcall_[a-z_]+`)

// TestWhatIsAskedForIsThere compares the metrics in queries with those that
// docs/operations.md and docs/forwarding.md list, both ways: what nobody looks at need not be measured.
func TestWhatIsAskedForIsThere(t *testing.T) {
	var listed []string
	pages := textOf(t, "../docs/operations.md") + textOf(t, "../docs/forwarding.md")
	for _, row := range regexp.MustCompile("(?m)^\\| `rollcall_[^|]*").FindAllString(pages, -1) {
		listed = append(listed, metric.FindAllString(row, -1)...)
	}
	var asked []string
	for _, query := range queries(t) {
		for _, name := range metric.FindAllString(query, -1) {
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				if base := strings.TrimSuffix(name, suffix); slices.Contains(listed, base) {
					name = base
				}
			}
			asked = append(asked, name)
			if !slices.Contains(listed, name) {
				t.Errorf("%s is no metric of these pages; it is asked for in %s", name, query)
			}
		}
	}
	for _, name := range listed {
		if !slices.Contains(asked, name) {
			t.Errorf("%s is in neither a rule nor the dashboard", name)
		}
	}
}
