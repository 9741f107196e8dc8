// Command sbom prints what is linked into a program of Go, as an SPDX 2.3
// document: the modules and the compiler that the program itself names, with the
// checksums by which go.sum knows them. The same program gives the same document.
//
//	go run ./.ci/sbom ./rollcall > rollcall.spdx.json
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: sbom PROGRAM")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

// object is a JSON object.
type object = map[string]any

func run(program string, to io.Writer) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	out := json.NewEncoder(to)
	out.SetIndent("", "  ")
	return out.Encode(document(info, fmt.Sprintf("%x", sha256.Sum256(data))))
}

const itself = "SPDXRef-rollcall"

func document(info *debug.BuildInfo, sum string) object {
	packages := []any{object{
		"SPDXID": itself, "name": "rollcall", "downloadLocation": "NOASSERTION", "filesAnalyzed": false,
		"licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION",
		"primaryPackagePurpose": "APPLICATION", "checksums": []any{object{"algorithm": "SHA256", "checksumValue": sum}},
	}}
	relationships := []any{object{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": itself}}
	add := func(id, name, version, purl, comment string) {
		packages = append(packages, object{
			"SPDXID": id, "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": false,
			"licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION", "comment": comment,
			"externalRefs": []any{object{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}},
		})
		relationships = append(relationships, object{"spdxElementId": itself, "relationshipType": "STATIC_LINK", "relatedSpdxElement": id})
	}
	version := strings.TrimPrefix(info.GoVersion, "go")
	add("SPDXRef-stdlib", "stdlib", version, "pkg:golang/stdlib@"+version, "the compiler's standard library")
	for i, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		add(fmt.Sprintf("SPDXRef-module-%d", i+1), m.Path, m.Version, "pkg:golang/"+m.Path+"@"+m.Version, "go.sum: "+m.Sum)
	}
	return object{
		"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "rollcall",
		"documentNamespace": "urn:rollcall:sbom:" + sum,
		// Of no moment, so that the same program has the same document.
		"creationInfo":  object{"created": "1970-01-01T00:00:00Z", "creators": []string{"Tool: rollcall/.ci/sbom"}},
		"packages":      packages,
		"relationships": relationships,
	}
}
