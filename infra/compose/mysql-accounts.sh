# shellcheck shell=bash
# Read once by the image of MySQL, on an empty data folder: the two accounts that Unite works with, neither of them root.
# `migrator` changes tables and says what `service` may do with each: rows alone, and with those of the ledger less than
# that. Whatever is wrong with the service, its tables stay. Until the first migration it may do nothing.

# The passwords are our own (make-secrets.sh) and hexadecimal, so that nothing in them wants quoting. The file is not
# executable: the image then reads it in its own shell, which has the function.
docker_process_sql <<SQL
CREATE USER 'migrator'@'%' IDENTIFIED BY '$(cat /run/secrets/mysql_migrator_password)';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER ON unite.* TO 'migrator'@'%'
  WITH GRANT OPTION;
CREATE USER 'service'@'%' IDENTIFIED BY '$(cat /run/secrets/mysql_service_password)';
SQL
