"""The grader's tools: loading a task, setting rows aside, checking and scoring submissions.

Trusted code, the only one that reads private answers. Reads task folders, writes under the
grader's own directory and through the artifacts door.
"""
