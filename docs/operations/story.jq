# The log lines that belong to one id: a correlation id, payment, intent, order, order number or cart. Ids that
# stand in a line with a known one are known as well, until no line adds another.
def ids: [.correlationId, .payment, .intent, .order, .orderNumber, .cart] | map(strings);
def known($lines):
  . as $ids
  | ([$lines[] | ids | select(any(IN($ids[])))] | add // [] | . + $ids | unique) as $more
  | if ($more | length) == ($ids | length) then $ids else $more | known($lines) end;
. as $lines
| ([$id] | known($lines)) as $ids
| [$lines[] | select(ids | any(IN($ids[])))]
| sort_by(.time)[]
