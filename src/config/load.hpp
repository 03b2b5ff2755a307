#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/listing.hpp"
#include "config/overrides.hpp"
#include "config/parse.hpp"
#include "config/reader.hpp"
#include "config/writer.hpp"

namespace rankflow::config {

template <class Options>
struct Loaded {
  Options options = {};
  /// Complete TOML text, defaults included and paths absolute; reads back to the same options bit for bit.
  std::string resolved = {};
  std::string source = {};  ///< file name for messages
  /// Dotted key -> "file.toml:12", "--set" or "default"; entries of lists as inputs.0.amplitude.
  std::map<std::string, std::string> where = {};
};

/// Every table and key that Options describes.
template <class Options>
std::vector<TableListing> list_tables() {
  Lister lister;
  Options options{};
  Visitor(lister).group(options);
  return lister.tables();
}

template <class Options>
std::string resolved_toml(Options& options) {
  Writer writer;
  Visitor(writer).group(options);
  return writer.toml();
}

/// Options from a document's tree of values; `name` as for load_text. Throws ConfigurationError.
template <class Options>
Loaded<Options> load_tree(const Value& root, const std::string& name) {
  Loaded<Options> loaded{.source = name};
  Reader reader(root, name, dotted_names(list_tables<Options>()));
  Visitor(reader).group(loaded.options);
  reader.finish();
  loaded.resolved = resolved_toml(loaded.options);
  loaded.where = reader.places().summary();
  return loaded;
}

/// Options from TOML text, then from each "table.key=value" of `sets` in turn. `name` stands in messages, and its
/// folder is where relative paths start. Throws ConfigurationError.
template <class Options>
Loaded<Options> load_text(const std::string& toml, const std::string& name, const std::vector<std::string>& sets) {
  auto root = parse_document(toml, name);
  for (const auto& set : sets) apply_set(root, set);
  return load_tree<Options>(root, name);
}

/// As load_text, from a file.
template <class Options>
Loaded<Options> load(const std::string& path, const std::vector<std::string>& sets) {
  return load_text<Options>(read_text_file(path), path, sets);
}

/// Reference of every table and key of Options, as Markdown.
template <class Options>
std::string reference_markdown(std::string_view title) {
  return markdown(list_tables<Options>(), title);
}

}  // namespace rankflow::config
