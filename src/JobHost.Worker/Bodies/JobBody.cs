using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Worker.Bodies;

/// <summary>
/// The code of a registered job, ready to be called: reads its parameters from JSON and calls the class or method with them.
/// </summary>
public sealed class JobBody
{
    private readonly MethodInfo code;
    private readonly ParametersReader reader;
    private readonly Func<IServiceProvider, object?, JobContext, Func<object?>> prepare;

    private JobBody(
        JobForm form,
        Type codeType,
        MethodInfo code,
        ParametersReader reader,
        Func<IServiceProvider, object?, JobContext, Func<object?>> prepare
    )
    {
        Form = form;
        CodeType = codeType;
        this.code = code;
        this.reader = reader;
        this.prepare = prepare;
    }

    /// <summary>How the code is written.</summary>
    public JobForm Form { get; }

    /// <summary>The class that the code is in.</summary>
    public Type CodeType { get; }

    /// <summary>The JSON schema of the parameters.</summary>
    public JsonNode ParametersSchema => reader.Schema;

    /// <param name="registration">The job.</param>
    /// <param name="isService">Which types the container can give, to tell a method's services from its parameters.</param>
    /// <exception cref="JobConfigurationException">A method whose parameters cannot be bound; the message names the parameter.</exception>
    public static JobBody Create(JobRegistration registration, IServiceProviderIsService isService)
    {
        ArgumentNullException.ThrowIfNull(registration);
        if (registration.Body is { } body)
        {
            var (reader, arguments) = MethodArguments.Bind(registration.Name, body.Method, isService);
            RequireObject(registration.Name, reader);
            var invoker = MethodInvoker.Create(body.Method);
            return new(
                registration.Form,
                body.Method.DeclaringType!,
                body.Method,
                reader,
                (services, parameters, context) =>
                {
                    var values = arguments(services, parameters, context);
                    return () => invoker.Invoke(body.Target, values.AsSpan());
                }
            );
        }
        var caller = (ClassCaller)
            Activator.CreateInstance(
                typeof(ClassCaller<,>).MakeGenericType(registration.JobType!, registration.ParametersType!)
            )!;
        var whole = ParametersReader.ForType(registration.ParametersType!);
        RequireObject(registration.Name, whole);
        return new(registration.Form, registration.JobType!, CodeOf(registration), whole, caller.Prepare);
    }

    /// <summary>Has the code compiled, which else its first call does.</summary>
    internal void Compile()
    {
        Compile(code);
        if (code.GetCustomAttribute<StateMachineAttribute>()?.StateMachineType is { } machine)
        {
            Compile(machine.GetMethod("MoveNext", BindingFlags.Instance | BindingFlags.NonPublic));
        }

        static void Compile(MethodBase? method)
        {
            // Of generic code there is none until it is called.
            if (method is { ContainsGenericParameters: false, DeclaringType.IsGenericType: false, IsAbstract: false })
            {
                RuntimeHelpers.PrepareMethod(method.MethodHandle);
            }
        }
    }

    private static MethodInfo CodeOf(JobRegistration registration)
    {
        var contract = registration.Form switch
        {
            JobForm.Async => typeof(IJob<>),
            JobForm.Blocking => typeof(IThreadJob<>),
            _ => typeof(IStepJob<>),
        };
        return registration
            .JobType!.GetInterfaceMap(contract.MakeGenericType(registration.ParametersType!))
            .TargetMethods.Single();
    }

    private static void RequireObject(string job, ParametersReader reader)
    {
        if (
            reader.Schema is JsonObject schema
            && schema["type"]?.ToJsonString() is { } type
            && !type.Contains("object")
        )
        {
            throw new JobConfigurationException(
                $"Job '{job}': its parameters are read from a JSON object, but their type is written as {type}. Put it into a record."
            );
        }
    }

    /// <summary>Reads and validates parameters.</summary>
    /// <param name="parameters">A JSON object, or undefined for none.</param>
    /// <param name="errors">Empty, or the messages by field; the empty name means the whole.</param>
    /// <returns>What <see cref="RunAsync"/> and its like take.</returns>
    public object? ReadParameters(JsonElement parameters, out IReadOnlyDictionary<string, string[]> errors) =>
        reader.Read(parameters, out errors);

    /// <summary>
    /// Makes everything that the call needs, so that the call itself is the job's own code and nothing else.
    /// </summary>
    /// <returns>The call, to be made once.</returns>
    public Func<object?> Prepare(IServiceProvider services, object? parameters, JobContext context) =>
        prepare(services, parameters, context);

    /// <summary>Makes the call of a body of form <see cref="JobForm.Async"/> and awaits it.</summary>
    public async Task<object?> RunAsync(IServiceProvider services, object? parameters, JobContext context)
    {
        var task = AsTask(prepare(services, parameters, context)());
        await task;
        return ResultOf(task);
    }

    /// <summary>What the call of a body of form <see cref="JobForm.Async"/> returned, as a task.</summary>
    internal static Task AsTask(object? returned) =>
        returned switch
        {
            Task task => task,
            ValueTask task => task.AsTask(),
            { } value
                when value.GetType() is { IsGenericType: true } type
                    && type.GetGenericTypeDefinition() == typeof(ValueTask<>) => (Task)
                type.GetMethod(nameof(ValueTask<>.AsTask))!.Invoke(value, null)!,
            var value => Task.FromResult(value),
        };

    /// <summary>Makes the call of a body of form <see cref="JobForm.Steps"/>.</summary>
    public IAsyncEnumerable<Step> Steps(IServiceProvider services, object? parameters, JobContext context) =>
        (IAsyncEnumerable<Step>?)prepare(services, parameters, context)()
        ?? throw new InvalidOperationException("The job returned no steps.");

    /// <summary>The result of a completed task, or null where it has none.</summary>
    internal static object? ResultOf(Task task)
    {
        // Async methods without a result are Task<VoidTaskResult> underneath.
        for (var type = task.GetType(); type is not null; type = type.BaseType)
        {
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Task<>))
            {
                return type.GetGenericArguments()[0].Name == "VoidTaskResult"
                    ? null
                    : type.GetProperty(nameof(Task<>.Result))!.GetValue(task);
            }
        }
        return null;
    }

    private abstract class ClassCaller
    {
        internal abstract Func<object?> Prepare(IServiceProvider services, object? parameters, JobContext context);
    }

    private sealed class ClassCaller<TJob, TParameters> : ClassCaller
        where TJob : class
    {
        private readonly ObjectFactory<TJob> factory = ActivatorUtilities.CreateFactory<TJob>([]);

        internal override Func<object?> Prepare(IServiceProvider services, object? parameters, JobContext context)
        {
            // The scope disposes only what it made itself, so the instance is handed to it where it wants to be disposed.
            var job = factory(services, []);
            if (job is IAsyncDisposable or IDisposable)
            {
                services.GetRequiredService<RunDisposables>().Add(job);
            }
            var typed = (TParameters)parameters!;
            return job switch
            {
                IJob<TParameters> body => () => body.RunAsync(typed, context, context.StopToken),
                IThreadJob<TParameters> body => () => body.Run(typed, context, context.StopToken),
                IStepJob<TParameters> body => () => body.RunAsync(typed, context, context.StopToken),
                _ => throw new InvalidOperationException($"{typeof(TJob)} is no job."),
            };
        }
    }
}

/// <summary>Job instances that end with their run's scope.</summary>
internal sealed class RunDisposables : IAsyncDisposable
{
    private readonly List<object> items = [];

    internal void Add(object item) => items.Add(item);

    public async ValueTask DisposeAsync()
    {
        foreach (var item in items)
        {
            if (item is IAsyncDisposable asynchronous)
            {
                await asynchronous.DisposeAsync();
            }
            else
            {
                ((IDisposable)item).Dispose();
            }
        }
    }
}

internal static class RunScopeServices
{
    /// <summary>What the scope of every run has.</summary>
    internal static IServiceCollection AddRunScope(this IServiceCollection services) =>
        services.AddScoped<RunDisposables>();
}
