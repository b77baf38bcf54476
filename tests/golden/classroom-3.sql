CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE rooms (
        code TEXT PRIMARY KEY, teacher TEXT NOT NULL, opened_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
        phase TEXT NOT NULL, number INTEGER NOT NULL, round INTEGER NOT NULL,
        question TEXT, judgement TEXT, offered TEXT, offered_judgement TEXT,
        nicknames INTEGER NOT NULL, version INTEGER NOT NULL, task TEXT NOT NULL DEFAULT '');
CREATE TABLE questions (
        room TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE, number INTEGER NOT NULL,
        question TEXT NOT NULL, judgement TEXT, ran INTEGER NOT NULL, PRIMARY KEY (room, number));
CREATE TABLE members (
        room TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE, number INTEGER NOT NULL, token TEXT NOT NULL,
        nickname TEXT NOT NULL, hidden INTEGER NOT NULL, PRIMARY KEY (room, number), UNIQUE (room, token));
CREATE TABLE votes (
        room TEXT NOT NULL, question INTEGER NOT NULL, member INTEGER NOT NULL, round INTEGER NOT NULL,
        answer INTEGER NOT NULL, PRIMARY KEY (room, question, member, round),
        FOREIGN KEY (room, member) REFERENCES members ON DELETE CASCADE);
CREATE TABLE results (
        room TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE, number INTEGER NOT NULL, token TEXT NOT NULL,
        task TEXT NOT NULL, result TEXT NOT NULL, PRIMARY KEY (room, number), UNIQUE (room, token, result));
INSERT INTO schema_version VALUES(1);
INSERT INTO schema_version VALUES(2);
INSERT INTO schema_version VALUES(3);
INSERT INTO rooms VALUES('BCDFGH','6141f1063f4aadd45c29a5b3191b758f4eee8a9ca2638fbf433083601b642519',1774747800000000,1774834200000000,'voting',1,2,'{"title": "Learning rate", "text": "What happens?", "answers": ["It converges", "It diverges"], "address": "learning_rate?epochs=10", "number": 1}','{"right": [1], "sentence": "It diverges.", "why": ["It is small.", ""], "picture": "<svg><title>RMSE by epoch</title></svg>"}',NULL,NULL,0,3,'');
INSERT INTO questions VALUES('BCDFGH',1,'{"title": "Learning rate", "text": "What happens?", "answers": ["It converges", "It diverges"], "address": "learning_rate?epochs=10", "number": 1}','{"right": [1], "sentence": "It diverges.", "why": ["It is small.", ""], "picture": "<svg><title>RMSE by epoch</title></svg>"}',0);
INSERT INTO members VALUES('BCDFGH',1,'f700c71118f8d06b90227f54c72b60658df5bd04416b0379666da8b0ea6172e0','',0);
INSERT INTO members VALUES('BCDFGH',2,'84dd9ef20315337c0608f9a73f4e9ce3bb51cb0a48192640c8f8cd4025f1eae3','',0);
INSERT INTO votes VALUES('BCDFGH',1,1,1,0);
INSERT INTO votes VALUES('BCDFGH',1,2,1,1);
INSERT INTO votes VALUES('BCDFGH',1,1,2,1);
