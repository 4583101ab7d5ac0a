// Checked, aligned memory: see memory.h.
#include "base/memory.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <utility>

#include "base/cgroup.h"
#include "base/status.h"

namespace ranvier {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kCheckedFrom = 256 * kMiB;  // below, reading /proc costs more than it can save
constexpr std::size_t kHugePagesFrom = 4 * kMiB;
constexpr std::size_t kHugePage = 2 * kMiB;

// Bytes the machine can still give without swapping; nothing where that is not known.
std::optional<double> machine_memory_left() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    double kibibytes = 0;
    if (std::sscanf(line.c_str(), "MemAvailable: %lf kB", &kibibytes) == 1) return kibibytes * 1024;
  }
  return std::nullopt;
}

[[noreturn]] void refuse(std::size_t bytes, const std::string& reason) {
  fail(ErrorKind::kMemory, "cannot allocate ", format_bytes(static_cast<double>(bytes)), " (", bytes, " bytes): ",
       reason);
}

}  // namespace

std::string format_bytes(double bytes) {
  constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  int unit = 0;
  for (; bytes >= 1024 && unit < 6; ++unit) bytes /= 1024;
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return text;
}

std::size_t checked_bytes(std::int64_t count, std::size_t element_size) {
  std::size_t bytes = 0;
  const bool overflows = count < 0 || __builtin_mul_overflow(static_cast<std::size_t>(count), element_size, &bytes) ||
                         bytes > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
  if (overflows) {
    fail(ErrorKind::kMemory, "cannot allocate ", count, " elements of ", element_size,
         " bytes: the size does not fit the address space");
  }
  return bytes;
}

void require_memory(std::size_t bytes) {
  if (bytes < kCheckedFrom) return;
  std::optional<double> left = machine_memory_left();
  if (const auto group = cgroup_memory_left(); group && (!left || *group < *left)) left = group;
  if (left && static_cast<double>(bytes) > *left) refuse(bytes, "only " + format_bytes(*left) + " are available");
}

AlignedBuffer::AlignedBuffer(std::size_t bytes, bool zero) {
  if (bytes == 0) return;
  if (bytes > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) - kHugePage) {
    refuse(bytes, "the size does not fit the address space");
  }
  require_memory(bytes);
  const std::size_t alignment = bytes >= kHugePagesFrom ? kHugePage : kAlignment;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  data_ = std::aligned_alloc(alignment, rounded);
  if (data_ == nullptr) refuse(bytes, "the allocator refused");
  size_ = bytes;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // Advice: where huge pages are switched off it fails, and nothing is lost.
  if (alignment == kHugePage) (void)madvise(data_, rounded, MADV_HUGEPAGE);
#endif
  if (zero) std::memset(data_, 0, bytes);
}

AlignedBuffer::AlignedBuffer(AlignedBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

AlignedBuffer::~AlignedBuffer() { std::free(data_); }

}  // namespace ranvier
