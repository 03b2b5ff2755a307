#pragma once
#include <cstdint>
#include <filesystem>

namespace rankflow::io {

/// Name under which a file is written before it takes its place: in the same folder, so that the
/// rename is one step.
std::filesystem::path temporary_name(const std::filesystem::path& target);

/// Throws InputOutputError when `target` cannot become a file: its folder is missing or is no folder, or
/// the target is a directory. Creates nothing.
void require_possible_target(const std::filesystem::path& target);

/// Throws InputOutputError when the file system will not hold `bytes` in this file (full disk, quota, limit);
/// leaves the file empty. Better asked at the start than found out by one rank in the middle of a
/// collective write. File systems that cannot tell say yes.
void require_space(const std::filesystem::path& path, std::uint64_t bytes);

/// Takes hold of the disk blocks of holes in the file, so that writing into them later cannot find the disk
/// full. Throws InputOutputError.
void claim_blocks(const std::filesystem::path& path);

/// Brings the file's content to the disk. Throws InputOutputError.
void sync_to_disk(const std::filesystem::path& path);

/// Renames `from` onto `to` in one step and brings the folder's entry to the disk. Throws InputOutputError.
void replace_file(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace rankflow::io
