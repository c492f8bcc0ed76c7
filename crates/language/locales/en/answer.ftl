# What is wrong with an answer on the page of a link.

answer-error-reason-missing = Please tell us why it cannot be done.
answer-error-suggested-missing = Please tell us who may be responsible, or leave a note.
answer-error-phone-missing = Please give a telephone number.
answer-error-too-long = This text is too long; 4000 letters are the limit.
