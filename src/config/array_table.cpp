#include "config/array_table.hpp"

#include "config/leaf_reader.hpp"

namespace rankflow::config {

ArraySource ArrayTable::source(const Checker& check, const std::string& folder) const {
  if (file_.has_value() == values_.given)
    check.fail("file", "found {} 'file' and 'values'; give exactly one of them", file_ ? "both" : "neither");
  if (member_ && !file_) check.fail("member", "belongs to a 'file', found 'values'; leave it out");
  if (file_ && file_->empty()) check.fail("file", "is empty; give a file name");
  if (!values_.path.empty() || values_.transpose || values_.scale != 1.0)
    check.fail("values", "must be nested lists of numbers; give a file by the key 'file'");
  auto result = values_;
  result.given = true;
  result.transpose = transpose_;
  result.scale = scale_;
  if (!file_) return result;
  if (member_) {
    result.path = resolved_path(*file_, folder);
    result.member = *member_;
  } else {
    set_file(result, *file_, folder);
  }
  return result;
}

}  // namespace rankflow::config
