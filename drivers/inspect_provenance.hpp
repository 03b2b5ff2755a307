#pragma once
#include <filesystem>
#include <string>

#include "io/hdf5_file.hpp"

namespace rankflow::drivers {

/// How a file of ours came to be, in words: who made it, when, on how many ranks, its seed, and where its
/// configuration differs from the defaults. Empty for files of others.
std::string provenance_text(const io::File& file);

/// What to do with a run that is not complete, with its checkpoints; empty when there is nothing to do.
std::string unfinished_text(const io::File& file, const std::filesystem::path& path);

/// Text of an attribute for people.
std::string text_of(const io::Attribute& attribute);
/// The attribute of a group as text; `otherwise` when one of them does not exist.
std::string attribute_text(const io::File& file, const std::string& group, const std::string& name,
                           const std::string& otherwise);

}  // namespace rankflow::drivers
