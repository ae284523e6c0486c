// go-sql-driver/mysql. See ../README.md.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"fmt"
	"net"
	"os"

	"github.com/go-sql-driver/mysql"
)

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	for {
		var fields [7]string
		for i := range fields {
			if !input.Scan() {
				return
			}
			fields[i] = input.Text()
		}
		token, host, port, dbname, user, caFile := fields[0], fields[2], fields[3], fields[4], fields[5], fields[6]
		ca, err := os.ReadFile(caFile)
		if err != nil {
			panic("no file of certificate authorities")
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(ca)
		// Go without cgo does not see tests/hosts.sh.
		if err := mysql.RegisterTLSConfig("rds", &tls.Config{RootCAs: roots, ServerName: host}); err != nil {
			panic("no TLS")
		}
		config := mysql.NewConfig()
		config.Net, config.Addr, config.DBName = "tcp", net.JoinHostPort("127.0.0.1", port), dbname
		config.User, config.Passwd = user, token
		config.TLSConfig, config.AllowCleartextPasswords = "rds", true
		database, err := sql.Open("mysql", config.FormatDSN())
		if err == nil {
			err = database.Ping()
			database.Close()
		}
		if err == nil {
			fmt.Println("in")
		} else {
			fmt.Println("refused")
		}
	}
}
