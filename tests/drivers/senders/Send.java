// The JDBC drivers. See README.md.

import java.io.BufferedReader;
import java.io.FileReader;
import java.io.InputStreamReader;
import java.sql.DriverManager;
import java.util.Properties;

class Send {
  public static void main(String[] arguments) throws Exception {
    String scheme = arguments[0].equals("pgjdbc") ? "jdbc:postgresql" : "jdbc:mariadb";
    boolean properties = arguments[1].equals("properties");
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String token; (token = input.readLine()) != null; ) {
      String text = input.readLine(), host = input.readLine(), port = input.readLine();
      String dbname = input.readLine(), user = input.readLine(), caFile = input.readLine();
      String url = scheme + "://" + host + ":" + port + "/" + dbname;
      Properties given = new Properties();
      try {
        if (properties) {
          try (FileReader file = new FileReader(text)) {
            given.load(file);
          }
        } else {
          url += "?user=" + user + "&password=" + token;
          boolean postgres = arguments[0].equals("pgjdbc");
          given.setProperty(postgres ? "sslmode" : "useSsl", postgres ? "verify-full" : "true");
          given.setProperty(postgres ? "sslrootcert" : "serverSslCert", caFile);
        }
        DriverManager.getConnection(url, given).close();
        System.out.println("in");
      } catch (Exception refused) {
        // Its text may hold the token.
        System.out.println("refused");
      }
    }
  }
}
