UPDATE fulfillments
SET status = ?, tracking_number = ?, tracking_url = ?, carrier = ?, tracking_check = ?
WHERE id = ?
