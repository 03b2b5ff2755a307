#pragma once
#include <string>

#include "config/checker.hpp"
#include "config/options.hpp"

namespace rankflow::config {

/// The table form of an array: { file = "fit.h5:/n", transpose = true, scale = 512.0 }.
class ArrayTable {
 public:
  /// `spec` is that of the array's own key and holds for `values`.
  explicit ArrayTable(const Spec& spec) : spec_(spec) { spec_.required = false; }

  template <class V>
  void describe(V& v) {
    v.text("file", file_, {.doc = "file, with the member after a colon"});
    v.text("member", member_, {.doc = "key in an .npz, path of an HDF5 data set"});
    v.array("values", values_, spec_);
    v.flag("transpose", transpose_, {.doc = "swap rows and columns"});
    v.real("scale", scale_, {.doc = "factor on every value"});
  }

  /// The array described. Throws ConfigurationError unless exactly one of file and (inline) values is given.
  ArraySource source(const Checker& check, const std::string& folder) const;

 private:
  Spec spec_;
  std::optional<std::string> file_, member_;
  ArraySource values_;
  bool transpose_ = false;
  double scale_ = 1.0;
};

}  // namespace rankflow::config
