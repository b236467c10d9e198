package core

// RetryBudget holds tokens that retries cost and successes bring back, so that retries stay a small share of the load
// when everything fails (the AWS SDKs' standard retry quota). One per client.
type RetryBudget struct{ tokens int }

const (
	budgetCapacity = 500
	costTransient  = 14
	costThrottle   = 5
)

// NewRetryBudget returns a full budget.
func NewRetryBudget() *RetryBudget { return &RetryBudget{tokens: budgetCapacity} }

// Take takes what a retry costs; 0 = refused, otherwise the cost, to be given to OnSuccess later.
func (b *RetryBudget) Take(kind BackoffKind) int {
	cost := costTransient
	if kind == Throttle {
		cost = costThrottle
	}
	if b.tokens < cost {
		return 0
	}
	b.tokens -= cost
	return cost
}

// OnSuccess counts a call that succeeded; held is the cost of its last retry, 0 when it was a first attempt.
func (b *RetryBudget) OnSuccess(held int) {
	if held == 0 {
		held = 1
	}
	b.tokens = min(budgetCapacity, b.tokens+held)
}

// Tokens returns what is left.
func (b *RetryBudget) Tokens() int { return b.tokens }
