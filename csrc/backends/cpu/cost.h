// What a step does and moves, in words and numbers, for profiles. Counted when the step is planned.
//
// Operations are those of the definition, not of the algorithm: a product of m x k and k x n counts 2mnk. An
// exponential, a logarithm and their kin count 20, about what their polynomials take. Bytes are those of the operands,
// each counted once.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/backend.h"

namespace ranvier::cpu {

inline constexpr double kTranscendentalFlops = 20;

// Inputs and output are read and written whole, with `flops_each` operations for each element of the first input.
std::shared_ptr<Cost> cost_of(const OpRequest& request, double flops_each = 0);
// A product; its name shows the sizes (m x k x n) and which operands are transposed.
std::shared_ptr<Cost> cost_of_matmul(const OpRequest& request);
// A contraction's, with the chain that follows on its blocks; its own result is written if an output of the chain says so.
std::shared_ptr<Cost> cost_with_epilogue(std::shared_ptr<Cost> cost, const ElementwiseSpec& epilogue);
std::shared_ptr<Cost> cost_of_elementwise(const std::vector<ElementwiseSpec>& segments);

}  // namespace ranvier::cpu
