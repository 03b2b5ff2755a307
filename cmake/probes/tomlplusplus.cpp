#include <toml++/toml.h>

int main() {
  const toml::table table = toml::parse("key = 1");
  return table.contains("key") ? 0 : 1;
}
