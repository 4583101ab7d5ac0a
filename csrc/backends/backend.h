// What a backend gives the runtime: for each unit of work a step, planned once and run blind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/memory.h"
#include "graph/op_def.h"
#include "ops/ops.h"

namespace ranvier {

// What a step computes and moves, for profiles.
struct Cost {
  std::string what;  // "matmul 32x784x128 + add, relu"
  double flops = 0;  // floating-point operations
  double bytes_read = 0, bytes_written = 0;
  DType dtype = DType::f32;  // of the arithmetic
};

// The addresses that a step works on in one run: its inputs in order, then its outputs; null where nobody wants an output.
struct Operands {
  void* const* at;
  void* scratch;  // Step::scratch_bytes, aligned to 64, shared by all steps: what it holds is lost when the step ends
  void* operator[](std::size_t i) const { return at[i]; }
};

// A planned unit of work, which knows no memory: immutable, shared by all who run it at the same time.
struct Step {
  void (*run)(const Step& step, Operands operands) = nullptr;
  std::shared_ptr<const void> params;  // what the planner decided; the type is run's own business
  std::size_t scratch_bytes = 0;
  const char* name = "";
  std::shared_ptr<const Cost> cost;
  bool interruptible = false;  // nothing has been written for good yet: an interrupt may leave the step half done

  template <class T>
  const T& as() const {
    return *static_cast<const T*>(params.get());
  }
};

// A chain of elementwise operations over one iteration space, free of the graph so that two can be compared.
struct ElementwiseSpec {
  struct Instruction {
    Op op;
    DType in, out;         // of the value operand (select: the second) and the result
    int args[3];           // value numbers: inputs first, then the instructions' results; -1 when absent
    bool operator==(const Instruction& other) const = default;
  };
  Shape shape;                       // of the iteration
  std::vector<TensorType> inputs;    // each broadcasts to `shape`
  std::vector<Instruction> code;
  std::vector<int> outputs;          // instruction numbers whose results are wanted, in operand order
  std::vector<int> in_place;         // for each output, the input whose memory it overwrites, or -1
};

struct OpRequest {
  const OpDef& op;
  const Attributes& attributes;
  std::vector<TensorType> inputs;
  TensorType output;
  int max_threads;
  bool interruptible = true;  // may stop half done when an interrupt comes: nothing was written yet
};

// Rows of an array that become a program's input: rows order[0..count) if there is an `order`, else those from `begin` on.
struct Rows {
  const void* data;  // on the host
  DType dtype;
  std::int64_t elements;  // of a row
  const std::int64_t* order;
  std::int64_t begin, count;
};

// What the machine can do at most, measured in a tenth of a second: operations and bytes in a second.
struct MachinePeak {
  int threads;  // that the other numbers are of
  double flops_f32, flops_f64, bandwidth;
};

// A kind of processor with the memory that it works on. The runtime knows nothing else of either.
class Backend {
 public:
  virtual ~Backend() = default;
  // Where arenas, variables and constants of its programs lie.
  virtual Memory& memory() = 0;

  // Plans an operation. With an `epilogue`, which takes_epilogue() must have allowed: value 0 of the chain is the
  // operation's result, computed block by block. Operands: the operation's inputs, its result (or scratch of that size; the
  // chain may overwrite it), the epilogue's inputs 1.., its outputs.
  virtual Step plan(const OpRequest& request, const ElementwiseSpec* epilogue = nullptr) = 0;
  virtual bool takes_epilogue(const OpRequest& request) const = 0;
  // Several chains with the same code but different sizes run as one step: operands are concatenated.
  virtual Step plan_elementwise(const std::vector<ElementwiseSpec>& segments, int max_threads) = 0;
  // Whether two chains may share a step.
  virtual bool can_merge(const ElementwiseSpec& a, const ElementwiseSpec& b) const = 0;

  // Fills a program's input with rows, converted to its dtype.
  virtual void gather(const Rows& rows, void* out, DType to) = 0;
  // Waits until all that was begun is done.
  virtual void synchronize() = 0;
  virtual MachinePeak limits() = 0;
};

Backend& cpu_backend();

}  // namespace ranvier
