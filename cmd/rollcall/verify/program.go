package verify

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// maxAnswer is the most bytes that an answer may have.
const maxAnswer = 64 << 20

// maxTail is how many bytes of what the program complains are kept.
const maxTail = 2048

// runner runs the program, anew after each rule that it breaks: what it then
// knows would spoil the next one.
type runner struct {
	consumer Consumer
	running  *program
}

func (r *runner) play(ctx context.Context, rule rule) error {
	if r.running == nil {
		started, err := start(ctx, r.consumer)
		if err != nil {
			return err
		}
		r.running = started
	}
	var right reference
	for _, part := range rule.parts {
		answer, err := r.running.ask(ctx, part)
		if err == nil {
			err = right.judge(part, answer, rule)
		}
		if err != nil {
			r.stop()
			return err
		}
	}
	return nil
}

func (r *runner) stop() {
	if r.running != nil {
		r.running.stop()
		r.running = nil
	}
}

// program is one run of the consumer's command.
type program struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan []byte // closed at the end
	said    *tail       // on standard error
	timeout time.Duration
	kill    context.CancelFunc
}

func start(ctx context.Context, c Consumer) (*program, error) {
	ctx, kill := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, c.Command[0], c.Command[1:]...)
	cmd.WaitDelay = time.Second
	p := &program{cmd: cmd, answers: make(chan []byte), said: &tail{}, timeout: c.Timeout, kill: kill}
	cmd.Stderr = p.said
	in, err := cmd.StdinPipe()
	var out io.Reader
	if err == nil {
		out, err = cmd.StdoutPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		kill()
		return nil, fmt.Errorf("start the consumer: %w", err)
	}
	p.in = in
	go p.read(ctx, out)
	return p, nil
}

func (p *program) read(ctx context.Context, out io.Reader) {
	defer close(p.answers)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxAnswer)
	for lines.Scan() {
		select {
		case p.answers <- bytes.Clone(lines.Bytes()):
		case <-ctx.Done():
			return
		}
	}
}

// ask writes the lines and the question behind them, and awaits the answer.
func (p *program) ask(ctx context.Context, lines [][]byte) ([]byte, error) {
	text := append(bytes.Join(lines, []byte("\n")), "\n"+`{"ask":"rosters"}`+"\n"...)
	go func() { _, _ = p.in.Write(text) }() // a program that stops reading does not answer either
	limit := time.NewTimer(p.timeout)
	defer limit.Stop()
	select {
	case answer, ok := <-p.answers:
		if !ok {
			return nil, p.died(ctx)
		}
		return answer, nil
	case <-limit.C:
		return nil, breachf("it gave no answer within %s; does it read on, and write and flush each answer as one line?%s", p.timeout, p.said)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// died says how the program ended that was asked something.
func (p *program) died(ctx context.Context) error {
	limit := time.AfterFunc(p.timeout, p.kill) // it may have closed its output only
	defer limit.Stop()
	err := p.cmd.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	how := "exit status 0"
	if err != nil {
		how = err.Error()
	}
	return breachf("it died before it answered (%s)%s", how, p.said)
}

// stop lets the program end with its input, or kills it when it does not.
func (p *program) stop() {
	_ = p.in.Close() // it may be closed
	limit := time.AfterFunc(time.Second, p.kill)
	defer limit.Stop()
	_ = p.cmd.Wait() // how it ends no longer matters
	p.kill()
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex // guards text
	text []byte
}

// Write keeps the last bytes.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = bytes.Clone(t.text[max(0, len(t.text)-maxTail):])
	return len(p), nil
}

// String is the last line, behind a colon; "" where there is none.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := bytes.TrimSpace(t.text)
	last := text[bytes.LastIndexByte(text, '\n')+1:]
	if len(last) == 0 {
		return ""
	}
	return ": " + string(last)
}
