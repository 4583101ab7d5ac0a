// What a backend gives the runtime: for each unit of work a step, planned once and run blind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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

// A step's operands are its inputs in order, then its outputs. Nothing else is known when it runs.
struct Step {
  void (*run)(const Step& step) = nullptr;
  std::vector<void*> operands;
  void* scratch = nullptr;
  std::shared_ptr<const void> params;  // what the planner decided; the type is run's own business
  std::size_t scratch_bytes = 0;
  const char* name = "";
  std::shared_ptr<const Cost> cost;
  bool interruptible = false;  // nothing has been written for good yet: an interrupt may leave the step half done
  // The params of a step in a program's copy, where the original's cannot serve two callers at once; else null.
  std::shared_ptr<const void> (*copy_params)(const void* params) = nullptr;

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

// The interface is these free functions; today there is one backend.
namespace cpu {

Step plan_op(const OpRequest& request);
// A product (request) whose result is value 0 of `epilogue` and lives in the step's first output operand only if
// `keep_product`. Operands: a, b, the epilogue's inputs 1.., [product scratch or result], the epilogue's outputs.
Step plan_matmul_with_epilogue(const OpRequest& request, const ElementwiseSpec& epilogue);
// Several chains with the same code but different sizes run as one step: operands are concatenated.
Step plan_elementwise(const std::vector<ElementwiseSpec>& segments, int max_threads);
// Whether two chains may share a step.
bool can_merge(const ElementwiseSpec& a, const ElementwiseSpec& b);

// Fills a program's input with `count` rows of an array, converted: rows order[0..count) if `order`, else the rows
// from `begin` on.
void gather_batch(const void* data, DType from, void* out, DType to, std::int64_t row_elements, const std::int64_t* order,
                  std::int64_t begin, std::int64_t count);

// What the machine can do at most, measured in a tenth of a second: operations and bytes in a second.
struct MachinePeak {
  int threads;  // that the other numbers are of
  double flops_f32, flops_f64, bandwidth;
};
MachinePeak measure_machine();

}  // namespace cpu
}  // namespace ranvier
