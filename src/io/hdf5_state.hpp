#pragma once
// Inside of File; for the .cpp files of this layer only.
#include <exception>
#include <map>
#include <memory>
#include <string>

#include "io/agreement.hpp"
#include "io/hdf5_support.hpp"

namespace rankflow::io {

/// A dataset that stays open while its file is: a row block need not look it up by name.
struct OpenDataset {
  Hdf5Handle id;
  Shape shape;
  Type type = Type::other;
};

/// The identifiers behind a File; its functions are spread over hdf5_file, hdf5_dataset, hdf5_transfer and
/// hdf5_attributes.
struct File::State {
  const parallel::Communicator* comm = nullptr;
  std::string name;  ///< as in messages; not the temporary name under which a result is made
  Hdf5Handle file;
  Hdf5Handle transfer;  ///< transfer properties: collective through MPI-IO
  std::map<std::string, OpenDataset> open;
  /// More of them in the destructor mean that an exception passes through: see File::~File.
  int exceptions_at_start = std::uncaught_exceptions();
  bool failed_together = false;  ///< an error was raised on all ranks: they are still in step

  /// Runs a step that every rank takes; errors are thrown on all ranks.
  template <class Action>
  void together(Action&& action) {
    const auto failure = attempt(std::forward<Action>(action));
    try {
      agree(*comm, failure);
    } catch (...) {
      failed_together = true;
      throw;
    }
  }

  /// The dataset, opened once. Throws InputDataError (the same on every rank) when it does not exist.
  OpenDataset& dataset(const std::string& path);
  /// Group or dataset at `path`. Throws InputDataError when there is none.
  Hdf5Handle object(const std::string& path) const;
};

/// True when every component of the path exists.
bool path_exists(hid_t file, const std::string& path);

}  // namespace rankflow::io
