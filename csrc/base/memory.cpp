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
constexpr std::size_t kAlignment = 64;

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

namespace {

class HostMemory final : public Memory {
 public:
  const char* device() const override { return "cpu"; }
  void* allocate(std::size_t bytes) override {
    if (bytes > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) - kHugePage)
      refuse(bytes, "the size does not fit the address space");
    require_memory(bytes);
    const std::size_t alignment = bytes >= kHugePagesFrom ? kHugePage : kAlignment;
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void* const data = std::aligned_alloc(alignment, rounded);
    if (data == nullptr) refuse(bytes, "the allocator refused");
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    // Advice: where huge pages are switched off it fails, and nothing is lost.
    if (alignment == kHugePage) (void)madvise(data, rounded, MADV_HUGEPAGE);
#endif
    return data;
  }
  void release(void* data) noexcept override { std::free(data); }

  void zero(void* data, std::size_t bytes) override { std::memset(data, 0, bytes); }
  void copy(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
  void write(void* to, const void* host, std::size_t bytes) override { std::memcpy(to, host, bytes); }
  void read(void* host, const void* from, std::size_t bytes) override { std::memcpy(host, from, bytes); }
  void* host(void* data) override { return data; }
};

}  // namespace

Memory& host_memory() {
  static auto* const memory = new HostMemory;  // never destroyed: buffers in static storage may outlive it else
  return *memory;
}

Buffer::Buffer(Memory& memory, std::size_t bytes, bool zero) : memory_(&memory) {
  if (bytes == 0) return;
  data_ = memory.allocate(bytes);
  size_ = bytes;
  if (zero) memory.zero(data_, bytes);
}

Buffer::Buffer(Buffer&& other) noexcept
    : memory_(other.memory_), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Buffer::~Buffer() {
  if (data_) memory_->release(data_);
}

}  // namespace ranvier
