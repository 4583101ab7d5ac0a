// Memory of the host and of devices, and checked allocation. Linux grants almost any request and kills the process when the pages are used, so a
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

// Where bytes lie: the host's memory, or a device's. Only its own backend's kernels may follow an address into it; everybody
// else reads and writes through these functions, or asks `host()` for an address that the host may follow.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual const char* device() const = 0;
  // Aligned to 64 bytes (a cache line and a 512-bit register) at least. Throws Error(kMemory). `bytes` > 0.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* data) noexcept = 0;

  virtual void zero(void* data, std::size_t bytes) = 0;
  virtual void copy(void* to, const void* from, std::size_t bytes) = 0;        // from this memory to this memory
  virtual void write(void* to, const void* host, std::size_t bytes) = 0;       // from the host
  virtual void read(void* host, const void* from, std::size_t bytes) = 0;      // to the host
  // The same bytes for the host to follow; nullptr where it cannot.
  virtual void* host(void* data) = 0;
};

// Memory as require_memory grants it, with 2 MiB and huge pages from 4 MiB on.
Memory& host_memory();

// One value in a memory, for the host to look at.
template <class T>
T value_at(Memory& memory, const void* data) {
  T value;
  memory.read(&value, data, sizeof value);
  return value;
}

// Owned bytes in some memory.
class Buffer {
 public:
  Buffer() = default;
  // Contents are undefined unless `zero`. `bytes` may be 0: data() is then nullptr.
  explicit Buffer(Memory& memory, std::size_t bytes, bool zero = false);
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  Memory& memory() const { return *memory_; }
  void* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  Memory* memory_ = &host_memory();
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace ranvier
