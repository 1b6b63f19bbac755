import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'scripts/stubs/', 'src/learning/engine/assembly/'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true }
      ],
      // node:test-like `void it(...)` is never needed with vitest, but fire-and-forget must be spelled `void`.
      '@typescript-eslint/no-floating-promises': 'error'
    }
  },
  {
    // What is thrown inside a libp2p listener ends the process.
    files: ['peer/**'],
    ignores: ['peer/guarded.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.property.name='addEventListener']",
          message: 'Listen through guard.listen() of peer/guarded.ts.'
        }
      ]
    }
  },
  {
    // One program in several files, put together in a page: what one declares, the next one uses.
    // Types stand in comments there, which the rule about assignments does not see.
    files: ['sim/report/page/*.js'],
    rules: {
      '@typescript-eslint/no-unused-vars': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off'
    }
  },
  { files: ['eslint.config.js'], ...tseslint.configs.disableTypeChecked }
)
