#include <spdlog/spdlog.h>

int main() {
  spdlog::info("probe {}", 1);
}
