package live

import (
	"bytes"
	"compress/flate"
)

// packed is a part of the stream in both of its forms. The compressed one is a
// run of whole blocks that refer to nothing before them: any order of them
// behind a header is a stream of gzip, so that one encoding suits all pages.
type packed struct{ plain, deflated []byte }

// gzipHeader begins a stream of gzip: no name, no time, made on an unknown system.
func gzipHeader() []byte { return []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff} }

// packer packs one part after the other.
type packer struct{ w *flate.Writer } // kept, since it is large

func (p *packer) pack(plain []byte) packed {
	var b bytes.Buffer
	if p.w == nil {
		p.w, _ = flate.NewWriter(&b, flate.BestSpeed) // the level is one of those that there are
	}
	p.w.Reset(&b)           // so that nothing before is referred to
	_, _ = p.w.Write(plain) // a buffer takes everything
	_ = p.w.Flush()         // ends at a byte, and not the stream
	return packed{plain, b.Bytes()}
}
