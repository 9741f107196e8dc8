package config

import (
	"fmt"
	"net"
	"net/netip"

	"rollcall/internal/address"
)

// Served reports whether the live page is served on an address: it is on, and
// strangers are asked for something or cannot reach it.
func (p Page) Served(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	return p.Enabled && err == nil && (address.Loopback(host) || p.TokenFile != "" || len(p.Proxies) > 0)
}

// Networks are the networks of the proxies; the error names one that is none.
func (p Page) Networks() ([]netip.Prefix, error) {
	var all []netip.Prefix
	for i, text := range p.Proxies {
		network, err := netip.ParsePrefix(text)
		if one, alone := netip.ParseAddr(text); alone == nil {
			network, err = netip.PrefixFrom(one.Unmap(), one.Unmap().BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("proxies[%d]: %w", i, err)
		}
		all = append(all, network.Masked())
	}
	return all, nil
}

// page looks at who may see the live page.
func (c checker) page(p Page) {
	c.oneOf("http.page.names", p.Names, "show", "hide")
	c.texts("http.page.proxies", "network", p.Proxies)
	for i, text := range p.Proxies {
		one := Page{Proxies: []string{text}}
		switch networks, err := one.Networks(); {
		case err != nil:
			c.Refuse(fmt.Sprintf("http.page.proxies[%d]", i), shown(text)+" is no IP address and no network; allowed: such as 10.0.0.7 or 10.244.0.0/16")
		case networks[0].Bits() == 0:
			c.Refuse(fmt.Sprintf("http.page.proxies[%d]", i), shown(text)+" is everybody, and not a proxy; allowed: such as 10.0.0.7 or 10.244.0.0/16")
		}
	}
}
