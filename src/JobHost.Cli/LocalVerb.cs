namespace JobHost.Cli;

/// <summary>A verb that needs no server and is carried out by the program itself.</summary>
/// <param name="Name">Its name; that of a verb below another has a space, such as <c>audit verify</c>.</param>
/// <param name="Description">What it does, in one sentence.</param>
/// <param name="Example">How it is used, line by line.</param>
/// <param name="RunAsync">Carries it out with the words that follow, and returns the exit code.</param>
public sealed record LocalVerb(string Name, string Description, string Example, Func<string[], Task<int>> RunAsync);
