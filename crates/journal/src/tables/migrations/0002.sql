-- What an attempt's answer was taken for, as JSON; NULL if it answered.
ALTER TABLE attempts ADD COLUMN verdict TEXT;
