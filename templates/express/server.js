const express = require('express');

const app = express();
const tasks = [{ id: 1, text: 'Write a task', done: false }];

app.use(express.json());
app.use(express.static('public'));

app.get('/tasks', (request, response) => response.json(tasks));

app.post('/tasks', (request, response) => {
  const task = { id: tasks.length + 1, text: String(request.body.text).slice(0, 200), done: false };
  tasks.push(task);
  response.status(201).json(task);
});

app.listen(3000, () => console.log('listening on 3000'));
