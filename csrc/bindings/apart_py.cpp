// A backend for tests: the host's, with a memory that the host may not share. What the runtime does with bytes beyond handing
// addresses to steps must go through it, and is counted.
#include <atomic>

#include "bindings/convert.h"
#include "runtime/program.h"

namespace ranvier::bindings {
namespace {

class ApartMemory final : public Memory {
 public:
  const char* device() const override { return "apart"; }
  void* allocate(std::size_t bytes) override { return host_memory().allocate(bytes); }
  void release(void* data) noexcept override { host_memory().release(data); }
  void zero(void* data, std::size_t bytes) override { host_memory().zero(data, bytes); }
  void copy(void* to, const void* from, std::size_t bytes) override { host_memory().copy(to, from, count(copied, bytes)); }
  void write(void* to, const void* host, std::size_t bytes) override { host_memory().write(to, host, count(written, bytes)); }
  void read(void* host, const void* from, std::size_t bytes) override { host_memory().read(host, from, count(was_read, bytes)); }
  void* host(void*) override { return nullptr; }

  std::atomic<std::size_t> copied{0}, written{0}, was_read{0};  // bytes

 private:
  static std::size_t count(std::atomic<std::size_t>& counter, std::size_t bytes) {
    counter.fetch_add(bytes, std::memory_order_relaxed);
    return bytes;
  }
};

class ApartBackend final : public Backend {
 public:
  Memory& memory() override { return memory_; }
  Step plan(const OpRequest& request, const ElementwiseSpec* epilogue) override { return cpu_backend().plan(request, epilogue); }
  bool takes_epilogue(const OpRequest& request) const override { return cpu_backend().takes_epilogue(request); }
  Step plan_elementwise(const std::vector<ElementwiseSpec>& segments, int max_threads) override {
    return cpu_backend().plan_elementwise(segments, max_threads);
  }
  bool can_merge(const ElementwiseSpec& a, const ElementwiseSpec& b) const override { return cpu_backend().can_merge(a, b); }
  void gather(const Rows& rows, void* out, DType to) override {
    gathered.fetch_add(rows.count, std::memory_order_relaxed);
    cpu_backend().gather(rows, out, to);
  }
  void synchronize() override { synchronized.fetch_add(1, std::memory_order_relaxed); }
  MachinePeak limits() override { return cpu_backend().limits(); }

  std::atomic<std::int64_t> gathered{0}, synchronized{0};  // rows, calls

  ApartMemory& own_memory() { return memory_; }

 private:
  ApartMemory memory_;
};

ApartBackend& apart_backend() {
  static auto* const backend = new ApartBackend;  // never destroyed: its buffers may outlive it else
  return *backend;
}

}  // namespace

void bind_apart(py::module_& m) {
  py::module_ a = m.def_submodule("apart", "A backend whose memory the host may not share, for tests.");
  a.def("program", [](const Graph& graph, const std::vector<NodeId>& outputs, bool fuse) {
    return std::make_shared<Program>(make_plan(apart_backend(), graph, outputs, fuse, "apart"));
  });
  a.def("storage", [](const std::string& dtype, const std::vector<std::int64_t>& shape) {
    return std::make_shared<VariableStorage>(TensorType{dtype_from_name(dtype), Shape(shape)}, apart_backend().memory());
  });
  // What was counted since the last call.
  a.def("counts", [] {
    ApartBackend& backend = apart_backend();
    ApartMemory& memory = backend.own_memory();
    py::dict counts;
    counts["copied"] = memory.copied.exchange(0);
    counts["written"] = memory.written.exchange(0);
    counts["read"] = memory.was_read.exchange(0);
    counts["gathered"] = backend.gathered.exchange(0);
    counts["synchronized"] = backend.synchronized.exchange(0);
    return counts;
  });
}

}  // namespace ranvier::bindings
