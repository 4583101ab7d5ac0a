// Checked allocation. Linux grants almost any request and kills the process when the pages are used, so a
// large request is compared with what the machine has left first: the answer to a model that does not fit is an
// exception, not the end of the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace ranvier {

// a * b bytes; Error(kMemory) when that overflows or is negative.
std::size_t checked_bytes(std::int64_t count, std::size_t element_size);

// Error(kMemory), naming both sizes, when `bytes` is 256 MiB or more and exceeds what the machine (MemAvailable)
// and the control group can still give.
void require_memory(std::size_t bytes);

// "3.2 GiB"
std::string format_bytes(double bytes);

// Owned memory aligned to 64 bytes (a cache line and a 512-bit register); 2 MiB and huge pages from 4 MiB on.
class AlignedBuffer {
 public:
  static constexpr std::size_t kAlignment = 64;

  AlignedBuffer() = default;
  // Throws Error(kMemory) as require_memory does, or when the allocator refuses. Contents are undefined unless
  // `zero`. `bytes` may be 0: data() is then nullptr.
  explicit AlignedBuffer(std::size_t bytes, bool zero = false);
  AlignedBuffer(AlignedBuffer&& other) noexcept;
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer();

  void* data() { return data_; }
  const void* data() const { return data_; }
  std::size_t size() const { return size_; }

  template <class T>
  T* as() {
    return static_cast<T*>(data_);
  }
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data_);
  }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace ranvier
