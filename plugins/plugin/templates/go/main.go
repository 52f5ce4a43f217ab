// Command greet says hello to apps. dokku runs it as: greet TRIGGER ARG... or greet COMMAND ARG...; a command has a
// colon in its name.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

var handlers = map[string]func(args []string) error{
	"greet:hello": hello,
	"greet:set":   setGreeting,
	"post-deploy": hello,
	"post-delete": forget,
}

func main() {
	handle, ok := handlers[os.Args[1]]
	if !ok {
		return // not our business
	}
	if err := handle(append(os.Args[2:], "", "")); err != nil {
		fmt.Fprintf(os.Stderr, " !     %v\n", err)
		var unknown noSuchApp
		if errors.As(err, &unknown) {
			os.Exit(20) // what every command exits with when it is given an app that is not there
		}
		os.Exit(1)
	}
}

type noSuchApp string

func (app noSuchApp) Error() string { return fmt.Sprintf("App %s does not exist", string(app)) }

// verify asks dokku, which also asks the plugins that guard apps.
func verify(app string) error {
	if exec.Command("plugn", "trigger", "app-exists", app).Run() != nil {
		return noSuchApp(app)
	}
	return nil
}

// Properties are small files: LIB/config/PLUGIN/APP/KEY.
func directory(app string) string {
	return filepath.Join(os.Getenv("DOKKU_LIB_ROOT"), "config", "greet", app)
}

func hello(args []string) error {
	if err := verify(args[0]); err != nil {
		return err
	}
	greeting, err := os.ReadFile(filepath.Join(directory(args[0]), "greeting"))
	if err != nil || len(greeting) == 0 {
		greeting = []byte("hello")
	}
	fmt.Printf("-----> %s, %s\n", greeting, args[0])
	return nil
}

func setGreeting(args []string) error {
	if err := verify(args[0]); err != nil {
		return err
	}
	path := filepath.Join(directory(args[0]), "greeting")
	if args[1] == "" {
		fmt.Println("=====> Unsetting greeting")
		return os.RemoveAll(path)
	}
	fmt.Printf("=====> Setting greeting to %s\n", args[1])
	if err := os.MkdirAll(directory(args[0]), 0o755); err != nil {
		return err
	}
	fresh := path + ".new" // readers see the old greeting or the new one, never half of one
	if err := os.WriteFile(fresh, []byte(args[1]), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

func forget(args []string) error { return os.RemoveAll(directory(args[0])) }
