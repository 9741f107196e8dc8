package simulator

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// person is somebody who may come to a meeting.
type person struct {
	userID string // "" for strangers
	nick   string
	phone  bool // calls by telephone
}

// The streams of chance. Each thing draws from its own, so that one more
// meeting does not rename the people of the others.
const (
	streamCourse uint64 = iota + 1
	streamMeeting
	streamPool
	streamPerson
	streamFault
	streamRequest
	streamShuffle
	streamPush
)

// chance returns the n-th stream of a kind. The multiplication spreads
// neighbouring seeds.
func (c Config) chance(stream, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(c.Seed*0x9E3779B97F4A7C15+stream, (stream<<40+n)*0xD1342543DE82EF95))
}

func draw[T any](rng *rand.Rand, of []T) T { return of[rng.IntN(len(of))] }

func text(rng *rand.Rand, alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[rng.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	hexDigits = "0123456789abcdef"
	idLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

func (c Config) conferenceID(ordinal int) string {
	rng := c.chance(streamMeeting, uint64(ordinal))
	id := text(rng, hexDigits, 24)
	if c.Hostile && ordinal%2 == 1 {
		id += draw(rng, []string{".*", ">", " %2e/..", "é$SYS", "\"}"})
	}
	return id
}

// employee returns the n-th person of the organization.
func (c Config) employee(n int) person {
	rng := c.chance(streamPerson, uint64(n))
	p := person{userID: text(rng, idLetters, 20) + "iEiE", nick: c.nick(rng)}
	if c.Hostile && n%3 == 0 {
		p.userID = draw(rng, []string{"anon:Guest#1", "id:anon:", "a.b.>", "*", " ", "%41", "\u202egnp"}) + p.userID[:4]
	}
	return p
}

func (c Config) nick(rng *rand.Rand) string {
	if c.Hostile && rng.IntN(2) == 0 {
		return draw(rng, hostileTexts())
	}
	if rng.IntN(2) == 0 {
		return draw(rng, strings.Fields("王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 欧阳")) +
			draw(rng, strings.Fields("伟 芳 娜 敏 静 磊 洋 艳 勇 军 杰 秀英 志强 建国 晓明 雨桐 梓涵"))
	}
	return draw(rng, strings.Fields("Anna Ben Chloe David Emma Felix Grace Hugo Iris Jack Kate Leo Mia Noah Olivia Zoë")) + " " +
		draw(rng, strings.Fields("Becker Chen Dubois Evans Fischer García Huang Ito Jones Kim Lindqvist Müller Novák O'Neil Rossi Wang"))
}

// stranger returns somebody without a userId. Guests share their nick.
func stranger(rng *rand.Rand) person {
	if rng.IntN(2) == 0 {
		return person{nick: draw(rng, []string{"Guest", "访客"})}
	}
	return person{nick: fmt.Sprintf("+86 1%d****%04d", 30+rng.IntN(60), rng.IntN(10000)), phone: true}
}

func (c Config) title(rng *rand.Rand) string {
	if c.Hostile && rng.IntN(2) == 0 {
		return draw(rng, hostileTexts())
	}
	return draw(rng, []string{
		"周会", "产品评审会", "Weekly sync", "Design review", "客户交流 / customer call", "新员工培训",
		"Sprint planning", "季度总结", "Incident review", "项目启动会", "One on one", "All hands",
		"技术分享：消息队列", "Budget 2027", "Berlin–杭州 stand-up", "面试",
	})
}

func excuse(rng *rand.Rand) string {
	return draw(rng, []string{"抱歉，正在开会", "In another call", "晚点回复您", "On the train, will join later"})
}

// hostileTexts are what strangers write into names and titles.
func hostileTexts() []string {
	return []string{
		"<script>alert(1)</script>", "</textarea><img src=x onerror=alert(1)>", "'\"><svg/onload=alert(1)>",
		"# **bold** [link](javascript:alert(1)) `code` ![x](http://127.0.0.1/x)", "@all @所有人 @13800000000",
		"\u202egnp.exe\u202c", "\u2067שלום\u2069 مرحبا", "tab\tnew\nline\r\nnull\x00bell\a", "\x1b[31mred\x1b[0m \x1b]0;title\a",
		"=HYPERLINK(\"http://127.0.0.1\")", "{{.Secret}} ${jndi:ldap://127.0.0.1/a} %s%n", "'; DROP TABLE meetings; --",
		"ｆｕｌｌｗｉｄｔｈ 👩‍👩‍👧‍👦 Z\u0351\u0343\u0313a\u0334\u0321lgo", " \u200b\u00a0 ", "\\u0000 \\\" \\", "null",
		strings.Repeat("很长的名字", 60), strings.Repeat("long ", 200), "Guest#1", "anon:Guest#1",
	}
}
