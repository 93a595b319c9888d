// The pages of the documentation, in their order. A Markdown file of `docs/` that is not named here comes last, so that none is
// left out.

/** Sections of the navigation: file, from the top of the repository; its address below `/docs`; what it is called there. */
const sections = [
  {
    title: 'Start',
    pages: [
      { file: 'README.md', slug: '', title: 'Introduction' },
      { file: 'docs/quickstart.md', title: 'Quickstart' },
      { file: 'docs/steps.md', title: 'The wire in fourteen steps', live: true },
    ],
  },
  {
    title: 'Work in it',
    pages: [
      { file: 'docs/using.md' },
      { file: 'docs/run.md' },
      { file: 'docs/previews.md' },
      { file: 'docs/accessibility.md' },
    ],
  },
  {
    title: 'Build on it',
    pages: [
      { file: 'docs/embedding.md' },
      { file: 'docs/python.md', title: 'Python' },
      { file: 'docs/javascript.md', title: 'JavaScript' },
      { file: 'docs/cli.md' },
      { file: 'docs/execute.md' },
      { file: 'examples/README.md', slug: 'examples', title: 'Examples' },
      { file: 'docs/api.md' },
      { file: 'docs/protocol.md' },
    ],
  },
  {
    title: 'Run it',
    pages: [
      { file: 'docs/deployment.md' },
      { file: 'docs/configuration.md' },
      { file: 'docs/operating.md' },
      { file: 'docs/security.md' },
      { file: 'docs/performance.md' },
    ],
  },
  {
    title: 'Inside',
    pages: [
      { file: 'ARCHITECTURE.md', slug: 'architecture' },
      { file: 'CONTRIBUTING.md', slug: 'contributing' },
      { file: 'CHANGELOG.md', slug: 'changelog' },
      { file: 'docs/full-test.md', title: 'The last full test' },
    ],
  },
];

/** The sections with the pages that are there, of `files`: paths from the top of the repository. */
export function arranged(files) {
  const there = new Set(files);
  const named = new Set(sections.flatMap(({ pages }) => pages.map(({ file }) => file)));
  const others = files.filter((file) => /^docs\/[^/]+\.md$/.test(file) && !named.has(file)).map((file) => ({ file }));
  const all = [...sections, { title: 'More', pages: others }];
  const slug = (file) => file.replace(/^.*\//, '').replace(/\.md$/, '').toLowerCase();
  return all
    .map(({ title, pages }) => ({
      title,
      pages: pages.filter(({ file }) => there.has(file)).map((page) => ({ ...page, slug: page.slug ?? slug(page.file) })),
    }))
    .filter(({ pages }) => pages.length > 0);
}

/** Where a page is. */
export function addressOf({ slug }) {
  return slug ? `/docs/${slug}` : '/docs';
}
