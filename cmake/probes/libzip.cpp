#include <zip.h>

int main() {
  int failure = 0;
  zip_t* archive = zip_open("probe.npz", ZIP_RDONLY, &failure);
  return archive != nullptr ? zip_close(archive) : 0;
}
