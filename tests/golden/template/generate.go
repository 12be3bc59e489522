// Renders every case of cases.json with Go's own text/template and writes what came out to expected.json.
//
// The functions beside Go's are those that a configuration may call; what each of them promises is in the manual.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"text/template"
)

type suite struct {
	// Env is the environment of the cases that have none of their own.
	Env   map[string]string
	Cases []testCase
}

type testCase struct {
	Name     string
	Template string
	Env      *map[string]string
	// Dot replaces the environment as the data of the template.
	Dot json.RawMessage
}

type outcome struct {
	Name string `json:"name"`
	// Output is nil if the template is in error.
	Output *string `json:"output,omitempty"`
	Error  string  `json:"error,omitempty"`
	// Line is where Go sees the error; 0 if it does not say.
	Line int `json:"line,omitempty"`
}

func main() {
	text, err := os.ReadFile("cases.json")
	check(err)
	var all suite
	check(json.Unmarshal(text, &all))
	out := bytes.NewBufferString("[\n")
	for i, c := range all.Cases {
		env := all.Env
		if c.Env != nil {
			env = *c.Env
		}
		line, err := marshal(run(c, env))
		check(err)
		out.WriteString("  " + line)
		if i+1 < len(all.Cases) {
			out.WriteString(",")
		}
		out.WriteString("\n")
	}
	out.WriteString("]\n")
	check(os.WriteFile("expected.json", out.Bytes(), 0o644))
}

func run(c testCase, env map[string]string) outcome {
	var dot any = env
	if c.Dot != nil {
		dot = nil
		check(json.Unmarshal(c.Dot, &dot))
	}
	text, err := render(c.Template, dot, env)
	if err == nil {
		return outcome{Name: c.Name, Output: &text}
	}
	result := outcome{Name: c.Name, Error: err.Error()}
	if place := regexp.MustCompile(`^template: :(\d+):`).FindStringSubmatch(err.Error()); place != nil {
		result.Line, _ = strconv.Atoi(place[1])
	}
	return result
}

func render(text string, dot any, env map[string]string) (out string, err error) {
	// Go 1.19 panics where a `range` sets variables that are not there.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	parsed, err := template.New("").Option("missingkey=zero").Funcs(functions(env)).Parse(text)
	if err != nil {
		return "", err
	}
	var buffer bytes.Buffer
	err = parsed.Execute(&buffer, dot)
	return buffer.String(), err
}

func functions(env map[string]string) template.FuncMap {
	return template.FuncMap{
		"default": func(fallback, value any) string {
			if s, ok := value.(string); ok && s != "" {
				return s
			}
			return fmt.Sprintf("%v", fallback)
		},
		"env": func(name string) string { return env[name] },
		"split": func(separator, s string) []string {
			s = strings.TrimSpace(s)
			if s == "" {
				return []string{}
			}
			return strings.Split(s, separator)
		},
		"join":       func(separator string, list []string) string { return strings.Join(list, separator) },
		"replaceAll": func(from, to, s string) string { return strings.ReplaceAll(s, from, to) },
		"regexReplaceAll": func(pattern, to, s string) (string, error) {
			compiled, err := regexp.Compile(pattern)
			if err != nil {
				return "", err
			}
			return compiled.ReplaceAllString(s, to), nil
		},
		"loop": loop,
	}
}

func loop(bounds ...any) ([]int, error) {
	numbers := []int{0, 0}
	if len(bounds) != 1 && len(bounds) != 2 {
		return nil, fmt.Errorf("loop: wrong number of arguments, expected 1 or 2, but got %d", len(bounds))
	}
	for i, bound := range bounds {
		number, err := integer(bound)
		if err != nil {
			return nil, err
		}
		numbers[2-len(bounds)+i] = number
	}
	result := []int{}
	for i := numbers[0]; i < numbers[1]; i++ {
		result = append(result, i)
	}
	for i := numbers[0]; i > numbers[1]; i-- {
		result = append(result, i)
	}
	return result, nil
}

func integer(value any) (int, error) {
	switch v := value.(type) {
	case int:
		return v, nil
	case uint8:
		return int(v), nil
	case string:
		return strconv.Atoi(v)
	}
	return 0, fmt.Errorf("loop: expected an integer, but got %v (%T)", value, value)
}

// marshal is json.Marshal without the escapes for HTML.
func marshal(result outcome) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(result)
	return strings.TrimSuffix(out.String(), "\n"), err
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
