// The interpreter of fused elementwise chains: a list of kernel calls run on blocks that stay in L1.
//
// The iteration space is seen as [rows, cols]. An input is kFull (moves with the index), kScalar (one value), kRow
// (one value per column, repeated or at an offset given by the row) or kColumn (one value per row). Every output is
// full. Blocks are independent, so any division of the space over threads gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/backend.h"
#include "kernels/table.h"

namespace ranvier::cpu {

class BlockProgram {
 public:
  // `rows_are_fixed`: keep the last axis as the columns (an epilogue is called with rows and columns of a matrix).
  BlockProgram(const ElementwiseSpec& spec, const KernelTable& table, bool rows_are_fixed);

  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  std::size_t scratch_bytes() const { return scratch_bytes_; }  // for one thread
  double cost_ns() const { return cost_ns_; }                   // estimate for the whole space on one thread
  bool is_flat() const { return is_flat_; }                     // all inputs are full or scalar
  bool same_code(const BlockProgram& other) const;

  // A unit of work: `task` of tasks(). operands: inputs, then outputs.
  std::int64_t tasks() const;
  void run_task(std::int64_t task, void* const* operands, std::byte* scratch) const;
  void run_region(std::int64_t row_begin, std::int64_t row_end, std::int64_t col_begin, std::int64_t col_end,
                  void* const* operands, std::byte* scratch) const;

 private:
  enum class Access : std::uint8_t { kFull, kScalar, kRow, kColumn };
  struct Input {
    Access access;
    std::int64_t size;                  // bytes of an element
    std::vector<std::int64_t> strides;  // elements, for the collapsed outer axes (kRow, kColumn)
    bool varies = false;                // kRow: the offset depends on the row
    int expanded = -1;                  // temporary that holds it as a whole block, or -1
    bool operator==(const Input& other) const = default;
  };
  struct Call {
    EwFn fn;
    std::int16_t out, a, b, c;  // register numbers; a missing operand repeats `a`
    bool operator==(const Call& other) const = default;
  };
  struct Compiler;

  void run_flat(std::int64_t begin, std::int64_t end, void* const* operands, std::byte* scratch) const;
  void run_rows(std::int64_t row_begin, std::int64_t row_end, void* const* operands, std::byte* scratch) const;
  void run_segments(std::int64_t row_begin, std::int64_t row_end, std::int64_t col_begin, std::int64_t col_end,
                    void* const* operands, std::byte* scratch) const;
  void start(void* const* operands, std::byte* scratch, std::int64_t filled, void** registers) const;
  void write_out(const Input& input, std::int64_t row, std::int64_t rows, std::int64_t cols, const std::byte* base,
                 std::byte* out) const;
  void load(std::int64_t row, std::int64_t rows, std::int64_t col, std::int64_t cols, bool first,
            void* const* operands, void** registers) const;
  void call(std::int64_t n, void* const* registers) const;
  std::int64_t offset(const Input& input, std::int64_t row) const;
  std::byte* temporary(std::byte* scratch, int index) const { return scratch + index * temporary_bytes_; }

  const KernelTable* table_;
  std::int64_t rows_ = 1, cols_ = 1;
  std::vector<std::int64_t> outer_;  // extents of the collapsed outer axes; their product is rows_
  std::vector<Input> inputs_;
  std::vector<std::int64_t> output_sizes_;  // bytes of an element
  std::vector<Call> calls_;
  int temporaries_ = 0;
  std::int64_t temporary_bytes_ = 0;
  std::size_t scratch_bytes_ = 0;
  bool is_flat_ = false;
  std::int64_t rows_per_block_ = 1;
  double cost_ns_ = 0;
};

}  // namespace ranvier::cpu
